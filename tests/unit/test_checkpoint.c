#include "io/checkpoint.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/pickle.h"

#include "temp_folder.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"
#include "core/file.h"

static const float values[12] = {0, 1, -1, 0.5f, 65504, 1e-3f, 3, 4, 5, 6, 7, 8};
static const test_tensor two[2] = {{"x.weight", 2, {3, 4}, values}, {"y", 1, {5}, values + 2}};

static void check_values(const skv_checkpoint *ck, const char *prefix, skv_dtype type)
{
    for (int t = 0; t < 2; t++) {
        float got[12], want[12];
        uint16_t rounded[12];
        char name[64];
        const skv_entry *e;
        size_t n = t == 0 ? 12 : 5;

        snprintf(name, sizeof name, "%s%s", prefix, two[t].name);
        e = skv_checkpoint_find(ck, name);
        assert_non_null(e);
        assert_true(e->supported && e->dtype == type && e->ndim == two[t].ndim);
        assert_int_equal(skv_checkpoint_verify(ck, e), SKV_OK);
        skv_to_f32(got, e->data, type, n);
        memcpy(want, two[t].data, n * sizeof *want);
        if (type != SKV_F32) {
            skv_from_f32(rounded, type, two[t].data, n);
            skv_to_f32(want, rounded, type, n);
        }
        assert_memory_equal(got, want, n * sizeof *got);
    }
}

static void every_form_and_type_reads_back(void **state)
{
    static const skv_dtype types[] = {SKV_F32, SKV_F16, SKV_BF16};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        skv_checkpoint *ck;
        test_bytes file = {0};
        const char *path = temp_path("model.pth");

        make_torch_zip(&file, two, 2, types[i], NULL);
        bytes_save(&file, path);
        free(file.data);
        assert_int_equal(skv_checkpoint_open(&ck, path), SKV_OK);
        assert_int_equal(skv_checkpoint_count(ck), 2);
        check_values(ck, "", types[i]);
        skv_checkpoint_close(ck);

        make_torch_zip(&file, two, 2, types[i], "vae");
        bytes_save(&file, path);
        free(file.data);
        assert_int_equal(skv_checkpoint_open(&ck, path), SKV_OK);
        check_values(ck, "vae.", types[i]);
        skv_checkpoint_close(ck);

        make_safetensors(&file, two, 2, types[i]);
        bytes_save(&file, path); /* told by content, not by name */
        free(file.data);
        assert_int_equal(skv_checkpoint_open(&ck, path), SKV_OK);
        check_values(ck, "", types[i]);
        skv_checkpoint_close(ck);
    }
}

static void a_sharded_folder_reads_through_either_index(void **state)
{
    static const char *const indices[] = {"pytorch_model.bin.index.json",
                                          "model.safetensors.index.json"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        FILE *f;
        skv_checkpoint *ck;

        for (int t = 0; t < 2; t++) {
            test_bytes file = {0};

            if (i == 0)
                make_torch_zip(&file, &two[t], 1, SKV_BF16, NULL);
            else
                make_safetensors(&file, &two[t], 1, SKV_BF16);
            bytes_save(&file, temp_path(t == 0 ? "one" : "two"));
            free(file.data);
        }
        f = fopen(temp_path(indices[i]), "w");
        assert_non_null(f);
        fprintf(f, "{\"metadata\":{},\"weight_map\":{\"x.weight\":\"one\",\"y\":\"two\"}}");
        fclose(f);
        assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_OK);
        check_values(ck, "", SKV_BF16);
        skv_checkpoint_close(ck);
        assert_int_equal(unlink(temp_path("two")), 0);
        assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_E_NOTFOUND);
        assert_non_null(strstr(skv_message(), "two"));
        assert_int_equal(unlink(temp_path(indices[i])), 0);
    }
}

static void an_index_names_plain_files_only(void **state)
{
    static const char good[] = "{\"weight_map\":{\"x.weight\":\"one\"}}";
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"weight_map\":{}}",
        "{\"weight_map\":[\"one\"]}",
        "{\"weight_map\":{\"x.weight\":1}}",
        "{\"weight_map\":{\"x.weight\":\"\"}}",
        "{\"weight_map\":{\"x.weight\":\".\"}}",
        "{\"weight_map\":{\"x.weight\":\"..\"}}",
        "{\"weight_map\":{\"x.weight\":\"o..ne\"}}",
        "{\"weight_map\":{\"x.weight\":\"./one\"}}",
        "{\"weight_map\":{\"x.weight\":\"/dev/zero\"}}",
        "{\"weight_map\":{\"x.weight\":\"one\",\"x.weight\":\"two\"}}",
        "{\"weight_map\":{\"x.weight\":\"one\",\"y\":\"one\"}}", /* y is not in it */
        "{\"weight_map\":{\"x.weight\":\"index.json\"}}",        /* itself */
        "{\"weight_map\":{\"x.weight\":\"one\",\"y\":\"none\"}}",
        "{\"weight_map\":{\"x.weight\":\"one\",\"x.weight2\":\"copy\"}}", /* x.weight twice */
    };
    test_bytes file;
    skv_checkpoint *ck = NULL;

    (void)state;
    make_safetensors(&file, two, 1, SKV_F32);
    bytes_save(&file, temp_path("one"));
    bytes_save(&file, temp_path("o..ne"));
    bytes_save(&file, temp_path("copy"));
    free(file.data);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        file = (test_bytes){0};
        bytes_add(&file, bad[i], strlen(bad[i]));
        bytes_save(&file, temp_path("index.json"));
        free(file.data);
        assert_int_not_equal(skv_checkpoint_open(&ck, temp_path("index.json")), SKV_OK);
        assert_non_null(strstr(skv_message(), "index.json"));
    }
    file = (test_bytes){0};
    bytes_add(&file, good, strlen(good));
    bytes_save(&file, temp_path("index.json"));
    free(file.data);
    assert_int_equal(skv_checkpoint_open(&ck, temp_path("index.json")), SKV_OK);
    assert_string_equal(skv_checkpoint_format(ck), "safetensors, 1 shards");
    skv_checkpoint_close(ck);
}

/* Upstream's order of preference; links are followed, as a hub's cache needs. */
static void a_folder_s_first_known_file_counts(void **state)
{
    skv_checkpoint *ck = NULL;
    test_bytes file;

    (void)state;
    assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_E_NOTFOUND);
    make_torch_zip(&file, two, 2, SKV_F32, NULL);
    bytes_save(&file, temp_path("blob"));
    free(file.data);
    assert_int_equal(symlink(temp_path("blob"), temp_path("pytorch_model.bin")), 0);
    assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_OK);
    assert_string_equal(skv_checkpoint_format(ck), "PyTorch zip");
    skv_checkpoint_close(ck);
    make_safetensors(&file, two, 2, SKV_F32);
    bytes_save(&file, temp_path("model.safetensors"));
    free(file.data);
    assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_OK);
    assert_string_equal(skv_checkpoint_format(ck), "safetensors");
    skv_checkpoint_close(ck);
}

static void save_two(const char *name)
{
    test_bytes file;

    make_safetensors(&file, two, 2, SKV_F32);
    bytes_save(&file, temp_path(name));
    free(file.data);
}

static void a_folder_s_only_weights_may_have_any_name(void **state)
{
    skv_checkpoint *ck = NULL;

    (void)state;
    save_two("t5xxl_fp16.safetensors");
    save_two("notes.md");
    save_two(".hidden.safetensors");
    assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_OK);
    assert_int_equal(skv_checkpoint_count(ck), 2);
    skv_checkpoint_close(ck);
    save_two("z.ckpt");
    assert_int_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "several others: t5xxl_fp16.safetensors, z.ckpt"));
    assert_int_equal(
        skv_file_write(temp_path("weights.index.json"), "{\"weight_map\": {\"x\": \"no\"}}", 27),
        SKV_OK);
    assert_int_not_equal(skv_checkpoint_open(&ck, temp_folder()), SKV_OK);
    assert_null(strstr(skv_message(), "several others"));
}

static void what_is_no_file_is_refused(void **state)
{
    skv_checkpoint *ck = NULL;
    test_bytes file = {0};

    (void)state;
    assert_int_equal(skv_checkpoint_open(&ck, temp_path("nowhere")), SKV_E_NOTFOUND);
    assert_int_equal(symlink("nowhere", temp_path("dangling")), 0);
    assert_int_equal(skv_checkpoint_open(&ck, temp_path("dangling")), SKV_E_NOTFOUND);
    assert_int_not_equal(skv_checkpoint_open(&ck, "/dev/null"), SKV_OK);
    bytes_save(&file, temp_path("empty"));
    assert_int_equal(skv_checkpoint_open(&ck, temp_path("empty")), SKV_E_FORMAT);
    bytes_add(&file, "version https://git-lfs.github.com/spec/v1\n", 43);
    bytes_save(&file, temp_path("pointer"));
    free(file.data);
    assert_int_equal(skv_checkpoint_open(&ck, temp_path("pointer")), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "Git LFS pointer"));
}

/* torch's own file of the older form, written by Python 2 with SHORT_BINSTRING names. */
static void a_legacy_stream_reads(void **state)
{
    static const int64_t channels[] = {64, 192, 384, 256, 256};
    skv_checkpoint *ck;

    (void)state;
    assert_int_equal(skv_checkpoint_open(&ck, SKV_TEST_DATA "/legacy.pth"), SKV_OK);
    assert_int_equal(skv_checkpoint_count(ck), 5);
    for (int i = 0; i < 5; i++) {
        char name[32];
        const skv_entry *e;

        snprintf(name, sizeof name, "lin%d.model.1.weight", i);
        e = skv_checkpoint_find(ck, name);
        assert_non_null(e);
        assert_true(e->ndim == 4 && e->shape[1] == channels[i] && e->dtype == SKV_F32);
    }
    skv_checkpoint_close(ck);
}

static void bad_safetensors_are_refused_and_good_ones_are_not(void **state)
{
    static const char folder[] = SKV_TEST_DATA "/tiny_t5_bad";
    DIR *d = opendir(folder);
    const struct dirent *e;
    int good = 0, bad = 0;

    (void)state;
    assert_non_null(d);
    while ((e = readdir(d))) {
        char path[4096];
        skv_checkpoint *ck = NULL;
        bool ok = strncmp(e->d_name, "ok", 2) == 0 || strcmp(e->d_name, "index_ok") == 0;

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        assert_int_equal(skv_checkpoint_open(&ck, path) == SKV_OK, ok);
        good += ok;
        bad += !ok;
        if (ok)
            skv_checkpoint_close(ck);
        else
            assert_non_null(strstr(skv_message(), e->d_name));
    }
    closedir(d);
    assert_int_equal(good, 6);
    assert_int_equal(bad, 31);
}

static void escaped_names_and_special_values_come_out_right(void **state)
{
    static const char *const files[] = {"f32", "f16", "bf16"};
    skv_checkpoint *exact, *ck;

    (void)state;
    assert_int_equal(
        skv_checkpoint_open(&ck, SKV_TEST_DATA "/tiny_t5_bad/ok_escaped_names.safetensors"),
        SKV_OK);
    assert_non_null(skv_checkpoint_find(ck, "café/🙂"));
    assert_non_null(skv_checkpoint_find(ck, "a.\"\\"));
    skv_checkpoint_close(ck);
    assert_int_equal(skv_checkpoint_open(&exact, SKV_TEST_DATA "/tiny_t5_dtypes/f32.safetensors"),
                     SKV_OK);
    for (int i = 0; i < 3; i++) {
        const skv_entry *want = skv_checkpoint_find(exact, "special"), *e;
        float f32[24], got[24], rounded[24];
        uint16_t half[24];
        char path[512];

        snprintf(path, sizeof path, SKV_TEST_DATA "/tiny_t5_dtypes/%s.safetensors", files[i]);
        assert_int_equal(skv_checkpoint_open(&ck, path), SKV_OK);
        e = skv_checkpoint_find(ck, "special");
        assert_non_null(e);
        memcpy(f32, want->data, sizeof f32);
        skv_to_f32(got, e->data, e->dtype, 24);
        memcpy(rounded, f32, sizeof f32);
        if (i > 0) { /* our own rounding of the exact values is torch's */
            skv_from_f32(half, e->dtype, f32, 24);
            skv_to_f32(rounded, half, e->dtype, 24);
        }
        for (int k = 0; k < 24; k++)
            assert_true(isnan(rounded[k]) ? isnan(got[k]) != 0
                                          : memcmp(&got[k], &rounded[k], sizeof got[k]) == 0);
        skv_checkpoint_close(ck);
    }
    skv_checkpoint_close(exact);
}

/* An archive whose pickle is `text`. */
static skv_status open_pickle(const char *path, const char *text, size_t n, const char *data_name)
{
    test_bytes file;
    test_zip z = {0};
    skv_checkpoint *ck = NULL;
    skv_status st;

    zip_add(&z, "archive/data.pkl", text, n);
    zip_add(&z, data_name, values, sizeof values);
    zip_finish(&file, &z);
    bytes_save(&file, path);
    free(file.data);
    st = skv_checkpoint_open(&ck, path);
    skv_checkpoint_close(ck);
    return st;
}

static void pickles_that_would_run_something_are_refused_by_name(void **state)
{
    static const struct {
        const char *pickle, *why;
    } known[] = {
        {"\x80\x02"
         "cos\nsystem\nX\4\0\0\0true\x85R.",
         "an object of os.system"},
        {"\x80\x02"
         "cbuiltins\neval\n)R.",
         "an object of builtins.eval"},
        {"\x80\x02X\2\0\0\0osX\6\0\0\0system\x93)R.", "an object of os.system"},
        {"\x80\x02](K\1K\2u.", "container"}, /* SETITEMS on a list */
        {"\x80\x01}.", "protocol"},
        {"\x80\x02h\1.", "memo"},
        {"\x80\x02.", "empty"},
    };
    const char *path = temp_path("evil.pth");

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[128];
        size_t n = 0;

        /* embedded zeros: copy up to the STOP */
        do
            text[n] = known[i].pickle[n];
        while (known[i].pickle[n++] != '.');
        assert_int_not_equal(open_pickle(path, text, n, "archive/data/0"), SKV_OK);
        assert_non_null(strstr(skv_message(), known[i].why));
        assert_non_null(strstr(skv_message(), "evil.pth"));
    }
}

/* One tensor of the 12 stored values, with these numbers in its pickle. */
static skv_status open_tensor(int elements, int offset, int extent, int stride)
{
    static const char head[] = "\x80\x02}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0"
                               "storagectorch\nFloatStorage\nX\1\0\0\0"
                               "0X\3\0\0\0cpu";
    char text[256];
    size_t n = sizeof head - 1;

    memcpy(text, head, n);
    n += (size_t)snprintf(text + n, sizeof text - n, "K%ctQK%c(K%ct(K%ct\x89", elements, '@',
                          extent, stride);
    *(char *)memchr(text + sizeof head, '@', n) = (char)offset;
    n += (size_t)snprintf(text + n, sizeof text - n, "ccollections\nOrderedDict\n)RtRs.");
    return open_pickle(temp_path("lying.pth"), text, n, "archive/data/0");
}

static void a_tensor_must_lie_inside_its_storage(void **state)
{
    (void)state;
    assert_int_equal(open_tensor(12, 0, 12, 1), SKV_OK);
    assert_int_equal(open_tensor(12, 4, 8, 1), SKV_OK);
    assert_int_equal(open_tensor(12, 0, 6, 2), SKV_OK); /* not row-major: refused when wanted */
    assert_int_equal(open_tensor(13, 0, 12, 1), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "13"));
    assert_int_equal(open_tensor(12, 4, 9, 1), SKV_E_FORMAT);
    assert_int_equal(open_tensor(12, 0, 12, 2), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "beyond"));
}

/* Every byte of a good pickle replaced by every other: refused or read, never a crash. */
static void no_single_wrong_byte_crashes_the_pickle_machine(void **state)
{
    test_bytes file;
    const uint8_t *pickle;
    size_t n = 0, refused = 0;

    (void)state;
    make_torch_zip(&file, two, 2, SKV_F32, "vae");
    pickle = file.data + 64; /* the first member's data, padded to 64 */
    while (memcmp(pickle + n, "u.PK", 4) != 0)
        n++;
    n += 2;
    for (size_t i = 0; i < n; i++)
        for (int v = 0; v < 256; v++) {
            uint8_t *copy = malloc(n); /* its own block: reading past its end is seen */
            const skv_pickle_value *root;
            skv_pickle *p = NULL;
            size_t used;

            assert_non_null(copy);
            memcpy(copy, pickle, n);
            copy[i] = (uint8_t)v;
            refused += skv_pickle_run(&p, &root, &used, copy, n, "x.pth") != SKV_OK;
            skv_pickle_destroy(p);
            free(copy);
        }
    assert_true(refused > 64 * n); /* names and texts may have any byte, opcodes few */
    free(file.data);
}

static void archives_that_two_readers_could_read_differently_are_refused(void **state)
{
    static const struct {
        size_t from_end;
        uint8_t value;
    } flips[] = {{12, 1}, {10, 9}, {6, 200}, {2, 1}};
    const char *path = temp_path("zip.pth");
    test_bytes file = {0};
    test_zip z = {0};
    skv_checkpoint *ck = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) { /* of the end record */
        make_torch_zip(&file, two, 2, SKV_F32, NULL);
        file.data[file.n - flips[i].from_end] ^= flips[i].value;
        bytes_save(&file, path);
        free(file.data);
        assert_int_not_equal(skv_checkpoint_open(&ck, path), SKV_OK);
    }
    zip_add(&z, "archive/data.pkl", "\x80\x02}.", 4);
    zip_add(&z, "archive/data.pkl", "\x80\x02N.", 4);
    zip_finish(&file, &z);
    bytes_save(&file, path);
    free(file.data);
    assert_int_equal(skv_checkpoint_open(&ck, path), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "data.pkl"));
}

/* An archive of one member, data.pkl, whose zip64 extra field puts it at `begin`. */
static void save_zip64(const char *path, uint64_t begin)
{
    uint8_t extra[12] = {1, 0, 8, 0};
    test_bytes good, file = {0};
    test_zip z = {0};
    const uint8_t *central, *end;
    size_t name_bytes;

    zip_add(&z, "archive/data.pkl", "\x80\x02}.", 4);
    zip_finish(&good, &z);
    end = good.data + good.n - 22;
    central = good.data + (end[16] | (size_t)end[17] << 8);
    name_bytes = central[28];
    for (int i = 0; i < 8; i++)
        extra[4 + i] = (uint8_t)(begin >> (8 * i));
    bytes_add(&file, good.data, (size_t)(central - good.data) + 46 + name_bytes);
    file.data[(central - good.data) + 30] = sizeof extra;
    memset(file.data + (central - good.data) + 42, 0xff, 4);
    bytes_add(&file, extra, sizeof extra);
    bytes_add(&file, end, 22);
    file.data[file.n - 10] = (uint8_t)(46 + name_bytes + sizeof extra);
    bytes_save(&file, path);
    free(good.data);
    free(file.data);
}

static void a_zip64_offset_outside_the_file_is_refused(void **state)
{
    static const uint64_t beyond[] = {1000, 1ULL << 31, 1ULL << 63, UINT64_MAX - 7, UINT64_MAX};
    const char *path = temp_path("zip64.pth");
    skv_checkpoint *ck = NULL;

    (void)state;
    save_zip64(path, 0);
    assert_int_equal(skv_checkpoint_open(&ck, path), SKV_OK);
    skv_checkpoint_close(ck);
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        save_zip64(path, beyond[i]);
        assert_int_equal(skv_checkpoint_open(&ck, path), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "data.pkl: no local header"));
    }
}

static void a_file_without_tensors_opens_and_holds_none(void **state)
{
    static const uint8_t nothing[10] = {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    const char *path = temp_path("nothing");
    skv_checkpoint *ck = NULL;
    test_bytes file = {0};

    (void)state;
    for (int zip = 0; zip < 2; zip++) {
        if (zip) {
            save_zip64(path, 0);
        } else {
            bytes_add(&file, nothing, sizeof nothing);
            bytes_save(&file, path);
        }
        assert_int_equal(skv_checkpoint_open(&ck, path), SKV_OK);
        assert_int_equal(skv_checkpoint_count(ck), 0);
        assert_null(skv_checkpoint_find(ck, "w"));
        skv_checkpoint_close(ck);
    }
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_zip64_offset_outside_the_file_is_refused,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_file_without_tensors_opens_and_holds_none,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(every_form_and_type_reads_back, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_sharded_folder_reads_through_either_index,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(an_index_names_plain_files_only, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_folder_s_only_weights_may_have_any_name, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_folder_s_first_known_file_counts, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test(a_legacy_stream_reads),
        cmocka_unit_test(bad_safetensors_are_refused_and_good_ones_are_not),
        cmocka_unit_test(escaped_names_and_special_values_come_out_right),
        cmocka_unit_test_setup_teardown(pickles_that_would_run_something_are_refused_by_name,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_tensor_must_lie_inside_its_storage, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test(no_single_wrong_byte_crashes_the_pickle_machine),
        cmocka_unit_test_setup_teardown(
            archives_that_two_readers_could_read_differently_are_refused, temp_folder_make,
            temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
