// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_run.h"
