// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/kernels/kernels.h"

// The pieces from which dispatch.cc puts the tables together: one per source file, with a null for
// each function that the file does not have. The scalar pieces together have every function.
namespace maas::kernels {

extern const Table kScalar;
extern const Table kScalarParse;
extern const Table kScalarPrint;
extern const Table kAvx2;
extern const Table kAvx2Parse;
extern const Table kAvx512;
extern const Table kAvx512Parse;
extern const Table kAvx512Print;

}  // namespace maas::kernels
