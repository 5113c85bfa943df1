/* RUN/index: what is known of group files, so that a run that goes on does not open each of them
 * again. An entry says what a file's first block was found to hold, and whether all of it was read
 * and found right. It is believed as long as the file has the size, the time of its last change and
 * the inode that it had then; so an entry is never wrong of a file that anybody wrote to since.
 *
 * The index is derived: it may be deleted at any time, and one that is damaged, or of another
 * configuration or path, counts as none. It is cut into pieces of 1,000 groups of a path, each a
 * file of its own, so that ranks can share the work without sharing a file. */
#ifndef SKV_RUN_RUN_INDEX_H
#define SKV_RUN_RUN_INDEX_H

#include "run/group_file.h"
#include "run/stat_folder.h"

#define SKV_INDEX_PIECE 1000 /* groups */

typedef struct skv_run_index skv_run_index;

typedef struct {
    const skv_run_place *run;
    const char *path, *config_digest, *path_digest;
} skv_run_index_of;

/* How many pieces n_groups make. */
int64_t skv_run_index_pieces(int64_t n_groups);

/* One piece: the groups from piece * SKV_INDEX_PIECE on. All of *of is borrowed. */
SKV_MUST skv_status skv_run_index_open(skv_run_index **out, const skv_run_index_of *of,
                                       int64_t piece);

/* What skv_group_file_look says of a group of the piece, or what was noted of it since; the file is
 * opened only if it is not known. want's digests are those of the index. */
SKV_MUST skv_status skv_run_index_look(skv_run_index *ix, skv_group_state *state,
                                       skv_group_known *known, const skv_group_want *want);

/* Notes that all of the group's file was found right. */
void skv_run_index_note_whole(skv_run_index *ix, int64_t group);

/* Writes the piece if there is something new in it. It is not synced: what is lost is found again.
 * A failure to write is no failure of the run: the folder may be another user's. */
void skv_run_index_close(skv_run_index *ix);

#endif
