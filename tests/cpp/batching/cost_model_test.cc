// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/cost_model.h"
