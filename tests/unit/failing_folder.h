/* A folder's list that breaks off. A program that links failing_folder has its readdir() and that
 * of our libraries come here. */
#ifndef SKV_TESTS_FAILING_FOLDER_H
#define SKV_TESTS_FAILING_FOLDER_H

/* After n entries from now on, "." and ".." among them, readdir fails once; n < 0: never. */
void failing_folder(int n);

#endif
