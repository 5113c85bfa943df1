#include "eval/scores/scores.h"

#include <stddef.h>

#define ROW(name, help) &skv_evaluator_##name,

const skv_evaluator *const skv_evaluators[] = {SKV_EVALUATORS(ROW) NULL};
