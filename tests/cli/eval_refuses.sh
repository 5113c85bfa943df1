# shellcheck shell=bash
# What cannot be evaluated is one sentence with status 2 (what the user named is wrong) or 1 (it is
# damaged), and what an earlier evaluation made stays as it was.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 1, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10", "virtual_run": true}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" eval run --networks none >/dev/null
cp run/metrics.h5 run/metrics.json run/report.html .

# refused STATUS WHAT COMMAND...
refused() {
    local want=$1 what=$2 status=0

    shift 2
    "$@" >out 2>err || status=$?
    echo "$what: status $status, $(wc -l <err) line"
    cat err >&2
    [ "$status" -eq "$want" ] && [ ! -s out ]
}

refused 2 "a path that is not there" "$SKV" eval run --paths snapkv-4
refused 2 "networks of another name" "$SKV" eval run --networks some
refused 2 "weights that are not there" "$SKV" eval run --alexnet nowhere.pth --device cpu
refused 2 "weights of another network" "$SKV" eval run --inception "$DATA/tiny_lpips_lin.pth"
mv run/groups/full/000001.h5 kept.h5
refused 1 "a group file that is gone" "$SKV" eval run --networks none
mv kept.h5 run/groups/full/000001.h5
cp -r run cut
truncate -s 3000 cut/run.h5
refused 1 "a run file that is cut" "$SKV" eval cut --networks none
cp "$DATA/policies.h5" cut/run.h5
refused 1 "another program's file" "$SKV" eval cut --networks none
rm cut/run.h5
refused 1 "a run that was not gathered" "$SKV" eval cut --networks none
refused 2 "a folder that is not there" "$SKV" eval nope --networks none
mkdir small jpeg
refused 2 "a folder that is not a run" "$SKV" eval small --networks none
cp run/images/full/00000.png jpeg/
touch jpeg/00000.JPEG
refused 2 "two pictures of one name" "$SKV" eval run/images/full jpeg --networks none
"$SKV" sample --config job.json --ratio 0.5 --out other >/dev/null 2>&1
refused 1 "pictures of another size" "$SKV" eval run/images/full other/images/full --networks none
head -c 2000 run/images/full/00000.png >jpeg/00001.png
rm jpeg/00000.JPEG
refused 1 "a PNG that is cut" "$SKV" eval run/images/full jpeg --networks none
cmp metrics.h5 run/metrics.h5
cmp metrics.json run/metrics.json
cmp report.html run/report.html
