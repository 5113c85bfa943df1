/* What the files of this room share. */
#ifndef SKV_EVAL_LAYOUT_INTERNAL_H
#define SKV_EVAL_LAYOUT_INTERNAL_H

#include "eval/layout/layout.h"

/* Refuses a set whose prompts cannot be told by their files' names, and lists the files where the
 * layout has no judge of its own. A layout with {model} is listed once the model is known. */
SKV_MUST skv_status skv_layout__name_files(skv_layout_set *set, const skv_layout *layout);
void skv_layout__forget_files(skv_layout_set *set);

/* Removes a folder with all that is in it, if it is there. False: errno says why. */
bool skv_layout__remove_tree(const char *folder);
SKV_MUST skv_status skv_layout__remove_part(const char *part); /* the same, with a message */
/* *empty: the folder is absent, or has no entries. */
SKV_MUST skv_status skv_layout__look(bool *empty, const char *folder);
/* Makes the folders that a file is to lie in. */
SKV_MUST skv_status skv_layout__make_parent(const char *path);

/* Of layouts with shards: the archive's name (room for SKV_LAYOUT_NAME_BYTES); and the row of a
 * file in it, with *ending pointing at ".png". False: no file of the set. */
void skv_layout__shard_name(char *out, int64_t shard);
bool skv_layout__shard_member(int64_t *row, const char **ending, const char *name,
                              const skv_layout_set *set);

/* Values of skv_layout's functions, by layout. */
const char *skv_layout__geneval_fault(const json_t *object);
void skv_layout__geneval_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                               bool folder);
skv_status skv_layout__dpg_refuse(const skv_layout_set *set);
void skv_layout__dpg_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                           bool folder);
void skv_layout__coco_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                            bool folder);
void skv_layout__shards_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                              bool folder);
json_t *skv_layout__index_by_prompt(const skv_layout *layout, const skv_layout_set *set,
                                    const char *folder, const uint8_t *there);
json_t *skv_layout__index_of_objects(const skv_layout *layout, const skv_layout_set *set,
                                     const char *folder, const uint8_t *there);

#endif
