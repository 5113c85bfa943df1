/* What eval takes of BLAS and LAPACK, by their Fortran symbols (OpenBLAS has both): column-major,
 * everything by pointer. */
#ifndef SKV_EVAL_LAPACK_H
#define SKV_EVAL_LAPACK_H

/* C <- alpha·op(A)·op(B) + beta·C */
void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc);

/* C <- alpha·A·Aᵀ + beta·C, one triangle */
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *beta, double *c, const int *ldc);

/* Eigenvalues (ascending) and vectors of a symmetric matrix. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

/* Singular values, divide and conquer. */
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info);

/* One thread a call: sums must not depend on how many cores there are. */
void openblas_set_num_threads(int n);

#endif
