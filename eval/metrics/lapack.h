/* What eval takes of LAPACK, by its Fortran symbols (OpenBLAS has them): column-major, everything
 * by pointer. */
#ifndef SKV_EVAL_METRICS_LAPACK_H
#define SKV_EVAL_METRICS_LAPACK_H

/* Eigenvalues (ascending) and vectors of a symmetric matrix. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

/* Singular values, divide and conquer. */
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info);

#endif
