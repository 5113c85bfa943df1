/* Reading group files, and telling what one is. */
#include "run/group_file.h"
#include "run/group_format.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define MAX_READ ((size_t)64 << 30)

/* The record owns p from now on. */
static void own(skv_group_record *r, void *p)
{
    assert(r->owned->n < SKV_GROUP__MAX_BLOCKS);
    r->owned->block[r->owned->n++] = p;
}

void skv_group_record_clear(skv_group_record *rec)
{
    if (rec->owned) {
        for (int i = 0; i < rec->owned->n; i++)
            free(rec->owned->block[i]);
        free(rec->owned);
    }
    memset(rec, 0, sizeof *rec);
}

static skv_status read_attribute(skv_group_record *r, skv_h5 *f, const skv_group__attribute *a,
                                 const char *file)
{
    char *at = (char *)r + a->member, *text = NULL;
    int64_t v = 0;
    skv_status st;

    if (a->kind == SKV_GROUP__TEXT) {
        SKV_TRY(skv_h5_get_text(&text, f, "/", a->name));
        own(r, text);
        memcpy(at, &text, sizeof text);
        return SKV_OK;
    }
    st = skv_h5_get_int(&v, f, "/", a->name);
    if (st == SKV_E_NOTFOUND && a->optional)
        return SKV_OK;
    SKV_TRY(st);
    SKV_TRY(skv_group__check_number(v, a, file, SKV_E_FORMAT));
    if (a->kind == SKV_GROUP__LONG)
        *(int64_t *)at = v;
    else if (a->kind == SKV_GROUP__INT)
        *(int *)at = (int)v;
    else
        *(bool *)at = v != 0;
    return SKV_OK;
}

static skv_status read_attributes(skv_group_record *r, bool *old, skv_h5 *f, const char *file)
{
    char *kind = NULL;
    bool known;

    SKV_TRY(skv_h5_get_text(&kind, f, "/", "kind"));
    *old = strcmp(kind, SKV_GROUP__OLD_KIND) == 0;
    known = *old || strcmp(kind, SKV_GROUP__KIND) == 0;
    free(kind);
    if (!known)
        return skv_fail(SKV_E_FORMAT, "%s: not a group file of this version", file);
    for (size_t i = 0; i < SKV_GROUP__N_ATTRIBUTES; i++)
        SKV_TRY(read_attribute(r, f, &skv_group__attributes[i], file));
    return SKV_OK;
}

static skv_status read_set(skv_group_record *r, skv_h5 *f, skv_set set)
{
    const skv_extents e = skv_group__extents(r);
    skv_h5_layout want = skv_schema_group_layout(set, &e);
    void *data = NULL;

    SKV_TRY(skv_h5_read(&data, f, skv_schema_in_group(set).text, &want, MAX_READ, true));
    own(r, data);
    if (set == SKV_SET_BUDGET)
        r->budget = *(const char *const *)data;
    else
        memcpy((char *)r + skv_schema[set].member, &data, sizeof data);
    return SKV_OK;
}

static skv_status read_sets(skv_group_record *r, skv_h5 *f, unsigned parts, const char *file)
{
    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        const skv_schema_set *set = &skv_schema[s];
        bool there = false;

        if (set->member == SKV_SCHEMA_NO_MEMBER || (set->part != 0 && !(parts & set->part)))
            continue;
        SKV_TRY(skv_h5_has(&there, f, skv_schema_in_group(s).text));
        if (there)
            SKV_TRY(read_set(r, f, s));
        else if (set->part == SKV_GROUP_ROWS && !set->later)
            return skv_fail(SKV_E_FORMAT, "%s: there is no %s", file, set->name);
    }
    return SKV_OK;
}

/* First bit of each scale: known where there are bits, read or not. */
static skv_status read_offsets(skv_group_record *r, skv_h5 *f, bool old, const char *file)
{
    const skv_schema_name bits = skv_schema_in_group(SKV_SET_BITS);
    int64_t *v = NULL;
    bool there = false;
    int n = 0;

    SKV_TRY(skv_h5_has(&there, f, bits.text));
    if (!there)
        return SKV_OK;
    SKV_TRY(skv_h5_get_ints(&v, &n, f, bits.text,
                            old ? SKV_GROUP__OLD_BIT_OFFSET : SKV_ATTR_SCALE_OFFSET));
    own(r, v);
    r->bit_offset = v;
    if (n != r->n_scales + 1)
        return skv_fail(SKV_E_FORMAT, "%s: scale_offset is that of %d scales, want %d", file, n - 1,
                        r->n_scales);
    return SKV_OK;
}

/* "text,vae" as a list of n_phases names, in one block. */
static skv_status split_phases(skv_group_record *r, const char *text, const char *file)
{
    char **list = NULL, *at, *state = NULL;
    int n = 0;

    SKV_TRY(skv_alloc(&list, (size_t)r->n_phases * sizeof *list + strlen(text) + 1, 1, "phases"));
    own(r, list);
    at = (char *)(list + r->n_phases);
    strcpy(at, text);
    for (char *name = strtok_r(at, ",", &state); name; name = strtok_r(NULL, ",", &state)) {
        if (n < r->n_phases)
            list[n] = name;
        n++;
    }
    if (n != r->n_phases)
        return skv_fail(SKV_E_FORMAT, "%s: \"%.80s\" names %d phases, want %d", file, text, n,
                        r->n_phases);
    r->phase_names = (const char *const *)list;
    return SKV_OK;
}

static skv_status read_phases(skv_group_record *r, skv_h5 *f, bool old, const char *file)
{
    skv_h5_layout want = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {r->n_phases}};
    const char *const *names = NULL;
    char *text = NULL;

    if (!r->seconds)
        return SKV_OK;
    if (old) {
        SKV_TRY(skv_h5_read(&names, f, SKV_GROUP__OLD_PHASES, &want, MAX_READ, true));
        own(r, (void *)(uintptr_t)names);
        r->phase_names = names;
        return SKV_OK;
    }
    SKV_TRY(skv_h5_get_text(&text, f, skv_schema_in_group(SKV_SET_SECONDS).text, SKV_ATTR_PHASES));
    own(r, text);
    return split_phases(r, text, file);
}

static skv_status read_once(skv_group_record *rec, const skv_run_name *file, unsigned parts)
{
    skv_status st = SKV_OK;
    skv_h5 *f = NULL;
    bool old = false;

    memset(rec, 0, sizeof *rec);
    SKV_TRY(parts & SKV_GROUP_CHECKED ? skv_h5_open_checked(&f, file->path, file->n_below)
                                      : skv_h5_open_sealed(&f, file->path, file->n_below));
    SKV_TRY_GOTO(skv_alloc(&rec->owned, 1, sizeof *rec->owned, "a group record"), done);
    SKV_TRY_GOTO(read_attributes(rec, &old, f, file->path), done);
    SKV_TRY_GOTO(read_sets(rec, f, parts, file->path), done);
    SKV_TRY_GOTO(read_offsets(rec, f, old, file->path), done);
    SKV_TRY_GOTO(read_phases(rec, f, old, file->path), done);
done:
    skv_h5_close(f);
    if (st != SKV_OK)
        skv_group_record_clear(rec);
    return st;
}

bool skv_group_file_is_damage(skv_status st)
{
    return st != SKV_OK && st != SKV_E_NOTFOUND && st != SKV_E_DENIED && st != SKV_E_IO &&
           st != SKV_E_MEM;
}

skv_status skv_group_file_read(skv_group_record *rec, const skv_run_name *file, unsigned parts)
{
    const skv_status st = read_once(rec, file, parts);

    return skv_group_file_is_damage(st) ? read_once(rec, file, parts) : st;
}

/* Cuts the next line off *text; "" when there is none. */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');

    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

/* " row id bits " has the word. */
static bool is_listed(const char *words, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
        if (at > words && at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

static bool is_kind(const char *line)
{
    return strcmp(line, SKV_GROUP__KIND) == 0 || strcmp(line, SKV_GROUP__OLD_KIND) == 0;
}

/* line: "group first_row n_rows". */
static bool is_place(const char *line, const skv_group_want *want)
{
    char place[64];
    int n = snprintf(place, sizeof place, "%lld ", (long long)want->group);

    if (want->n_rows == 0)
        return strncmp(line, place, (size_t)n) == 0;
    snprintf(place + n, sizeof place - (size_t)n, "%lld %d", (long long)want->first_row,
             want->n_rows);
    return strcmp(line, place) == 0;
}

static unsigned parts_of(const char *datasets)
{
    unsigned parts = 0;

    for (skv_set s = SKV_SET_BITS; s <= SKV_SET_IMAGE; s++)
        if (is_listed(datasets, skv_schema[s].name))
            parts |= skv_schema[s].part;
    return parts;
}

/* The sentence on what is wanted and not there. */
static skv_group_state lacking(const char *file, unsigned parts)
{
    (void)skv_fail(SKV_E_NOTFOUND, "%s: there is no %s", file,
                   skv_schema[parts & SKV_GROUP_BITS ? SKV_SET_BITS : SKV_SET_IMAGE].name);
    return SKV_GROUP_LACKING;
}

static skv_group_state compare(skv_group_seal *seal, char *label, const char *file,
                               const skv_group_want *want)
{
    const char *differs = NULL, *place = "";
    long long first = 0;

    if (!is_kind(next_line(&label)))
        differs = "by another version of this program";
    else if (strcmp(next_line(&label), want->config_digest) != 0)
        differs = "with another configuration";
    else if (strcmp(next_line(&label), want->path_digest) != 0)
        differs = "for another path";
    else if (!is_place(place = next_line(&label), want) ||
             sscanf(place, "%*d %lld %d", &first, &seal->n_rows) != 2)
        differs = "for another group";
    if (differs) {
        (void)skv_fail(SKV_E_FORMAT, "%s: made %s", file, differs);
        return SKV_GROUP_FOREIGN;
    }
    seal->first_row = first;
    seal->parts = parts_of(next_line(&label));
    return (want->parts & ~seal->parts) == 0 ? SKV_GROUP_GOOD
                                             : lacking(file, want->parts & ~seal->parts);
}

skv_status skv_group_file_look(skv_group_state *state, skv_group_known *known,
                               const skv_run_name *file, const skv_group_want *want)
{
    char *label = NULL;
    skv_h5_seal block = {0};
    skv_status st = skv_h5_read_label(&label, &block, file->path, file->n_below);

    known->seal.crc = block.crc;
    known->whole = block.as_made;
    if (st == SKV_OK)
        *state = compare(&known->seal, label, file->path, want);
    else if (st == SKV_E_NOTFOUND)
        *state = SKV_GROUP_ABSENT;
    else if (st == SKV_E_FORMAT || st == SKV_E_KIND)
        *state = SKV_GROUP_DAMAGED;
    else
        return st;
    free(label);
    return SKV_OK;
}

skv_status skv_group_file_check(skv_group_state *state, const skv_run_name *file,
                                const skv_group_want *want)
{
    skv_group_known known = {0};

    return skv_group_file_look(state, &known, file, want);
}

skv_status skv_group_file_whole(const skv_run_name *file)
{
    const skv_status st = skv_h5_check_sealed(file->path, file->n_below);

    return skv_group_file_is_damage(st) ? skv_h5_check_sealed(file->path, file->n_below) : st;
}

skv_status skv_group_file_known(const skv_run_name *file)
{
    const skv_schema_name image = skv_schema_in_group(SKV_SET_IMAGE);
    const skv_status st = skv_h5_look_sealed(file->path, file->n_below, image.text);

    return skv_group_file_is_damage(st) ? skv_h5_look_sealed(file->path, file->n_below, image.text)
                                        : st;
}
