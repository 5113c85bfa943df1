/* What cmocka.h needs before it. */
#ifndef SKV_TESTS_CMOCKA_ALL_H
#define SKV_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
