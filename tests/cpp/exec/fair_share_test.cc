// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/fair_share.h"
