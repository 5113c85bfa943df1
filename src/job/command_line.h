/* The command that started this job, as one would type it again. */
#ifndef SKV_JOB_COMMAND_LINE_H
#define SKV_JOB_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* Words joined by spaces, quoted for a shell where need be. words: NUL-terminated strings, one
 * after another in `bytes` bytes. false, and out is "": does not fit. */
bool skv_command_line_join(char *out, size_t room, const char *words, size_t bytes);

/* alone: the program's own command line; else that of the mpirun that is its parent. "" where it is
 * not known (srun, the ranks of other nodes) or does not fit. */
void skv_command_line(char *out, size_t room, bool alone);

/* *out (free()) = the program's own command line, of any length; NULL where it is not known. */
SKV_MUST skv_status skv_command_line_own(char **out);

#endif
