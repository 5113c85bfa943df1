/* A folder for one test case, below TMPDIR or /tmp: made by setup, removed with all that is in it
 * by teardown. */
#ifndef SKV_TESTS_TEMP_FOLDER_H
#define SKV_TESTS_TEMP_FOLDER_H

/* cmocka's setup and teardown; *state stays as it is. */
int temp_folder_make(void **state);
int temp_folder_remove(void **state);

const char *temp_folder(void);

/* "<folder>/<name>" in one of eight buffers used in turn. */
const char *temp_path(const char *name);

/* Entries of the folder, hidden ones too. */
int temp_count(void);

/* From now on a file may grow to `bytes` and no further, as if the disk were full. 0: no limit. */
void temp_limit_files(unsigned long bytes);

#endif
