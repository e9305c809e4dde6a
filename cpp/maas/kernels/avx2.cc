#include "maas/kernels/parts.h"
namespace maas::kernels {
constinit const Table kAvx2 = {.name = "avx2"};
}
