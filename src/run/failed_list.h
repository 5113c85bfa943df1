/* RUN/failed/<process>.txt: the rows that failed in the groups of a process, a line each, so that
 * they are known without opening group files. Derived: what counts is in these. A row may be there
 * more than once, by several paths or processes. */
#ifndef SKV_RUN_FAILED_LIST_H
#define SKV_RUN_FAILED_LIST_H

#include "run/group_file.h"

/* Notes the group's rows that failed, before its file is written: so none is forgotten by a kill. A
 * failure to write is no failure of the run. */
void skv_failed_list_note(const char *run, const skv_group_record *rec);

typedef skv_status skv_failed_list_visit(void *ctx, int64_t row, const char *path,
                                         const char *reason);

/* Visits all of them, in the order of the files' names. Lines that are none of ours, as one cut by
 * a kill, are passed over. */
SKV_MUST skv_status skv_failed_list_each(const char *run, skv_failed_list_visit *visit, void *ctx);

#endif
