/* Text features from host memory instead of a text encoder: made up for measurements, or recorded.
 */
#ifndef SKV_SAMPLE_TEXT_FEATURES_H
#define SKV_SAMPLE_TEXT_FEATURES_H

#include "sample/engine.h"

/* Begins a group, as skv_engine_text does, with n_tokens rows of features: those at `features`
 * (n_tokens,Ct5), or for NULL made-up ones (skv_formula_text). skv_engine_condition comes next. */
SKV_MUST skv_status skv_text_features(skv_engine *e, skv_backend *be, const float *features,
                                      int n_tokens);

#endif
