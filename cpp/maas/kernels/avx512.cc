#include "maas/kernels/parts.h"
namespace maas::kernels {
constinit const Table kAvx512 = {.name = "avx512"};
}
