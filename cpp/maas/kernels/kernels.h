// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Maths and text on plain arrays, one Table of functions per instruction set. The functions keep no
// state, allocate nothing, touch no byte outside the arrays they are given and may be called from
// any thread. Arrays are aligned as their elements; sizes are counts of elements, and 0 is allowed
// unless said otherwise.
namespace maas::kernels {

enum class ParseError : std::uint8_t {
  kNone,
  kSyntax,      // not a JSON number, or no number after a comma
  kOutOfRange,  // too large for the type; a float too small for it becomes a signed zero
  kNotInteger,  // a fraction or an exponent where an int64 is wanted
  kCapacity,    // more numbers than `capacity`
};

struct ParseResult {
  const char* stop;  // without an error: the first character that is not part of the list;
                     // kCapacity: the first character behind that comma and its spaces; else: where
                     // the number at fault begins
  std::size_t count;  // numbers written to `out`
  ParseError error;
};

struct PrintResult {
  char* stop;         // behind the last character written
  std::size_t count;  // numbers printed; when fewer than asked, in[count] is not finite
};

// Room that print_* needs: numbers * kMax...Chars + kPrintSlack bytes. Each number's comma counts.
inline constexpr std::size_t kMaxFloat32Chars = 16;  // -1.17549435e-38,
inline constexpr std::size_t kMaxInt64Chars = 21;    // -9223372036854775808,
inline constexpr std::size_t kPrintSlack = 32;

struct TopK {
  float* values;          // [rows, k], descending
  std::int64_t* indices;  // [rows, k]
  std::size_t k;          // 1 <= k <= cols
};

struct ImageShape {
  std::size_t height;
  std::size_t width;
  std::size_t channels;
};

struct Normalisation {
  float scale;           // 1/255 for bytes that mean 0..1
  const float* mean;     // [channels]
  const float* inv_std;  // [channels], 1 / standard deviation
};

struct PoolShape {
  std::size_t rows;
  std::size_t tokens;
  std::size_t dim;
};

// `out` may be `in` for softmax, scale_shift_float32 and l2_normalise; no other overlap is allowed.
// A row's result depends on that row alone, never on how many rows the call has.
struct Table {
  const char* name = nullptr;  // "scalar", "avx2", "avx512"

  // Text [begin, end) behind a '[': white space, then numbers with one comma between, in strict
  // JSON grammar, up to the first other character (a ']' if all is well; the caller looks). No
  // number at all is count 0 without an error. Floats are rounded to nearest even from the decimal.
  ParseResult (*parse_float32)(const char* begin,
                               const char* end,
                               float* out,
                               std::size_t capacity) noexcept = nullptr;
  ParseResult (*parse_int64)(const char* begin,
                             const char* end,
                             std::int64_t* out,
                             std::size_t capacity) noexcept = nullptr;

  // Numbers with commas between. A float gets the fewest digits that read back as the same bits,
  // and always a '.' or an exponent: 3.0, -0.0, 0.1, and an exponent below 1e-4 and from 1e9:
  // 1e-7, 1.5e9.
  PrintResult (*print_float32)(const float* in, std::size_t n, char* out) noexcept = nullptr;
  PrintResult (*print_int64)(const std::int64_t* in, std::size_t n, char* out) noexcept = nullptr;

  // Rows of `cols` >= 1 numbers. A row with a NaN or +inf becomes all NaN, as in torch.
  void (*softmax)(const float* in,
                  float* out,
                  std::size_t rows,
                  std::size_t cols) noexcept = nullptr;
  // The first of the greatest; NaN is greater than any number, as in numpy and torch.
  void (*argmax)(const float* in,
                 std::int64_t* out,
                 std::size_t rows,
                 std::size_t cols) noexcept = nullptr;
  // The same order as argmax; among equals the lower index comes first.
  void (*top_k)(const float* in,
                std::size_t rows,
                std::size_t cols,
                const TopK& out) noexcept = nullptr;

  // From [height, width, channels] to [channels, height, width]:
  // (x * scale - mean[c]) * inv_std[c].
  void (*normalise_image)(const std::uint8_t* hwc,
                          float* chw,
                          const ImageShape& shape,
                          const Normalisation& by) noexcept = nullptr;

  // x*scale + shift, rounded after each of the two steps.
  void (*scale_shift_float32)(
      const float* in, float* out, std::size_t n, float scale, float shift) noexcept = nullptr;
  void (*scale_shift_uint8)(const std::uint8_t* in,
                            float* out,
                            std::size_t n,
                            float scale,
                            float shift) noexcept = nullptr;

  // Each row divided by max(its Euclidean norm, epsilon).
  void (*l2_normalise)(const float* in,
                       float* out,
                       std::size_t rows,
                       std::size_t cols,
                       float epsilon) noexcept = nullptr;

  // in [rows, tokens, dim], mask [rows, tokens] as weights, out [rows, dim]: the weighted sum of
  // the tokens divided by max(sum of the weights, 1e-9). Tokens of weight 0 are not read.
  void (*mean_pool)(const float* in,
                    const std::int64_t* mask,
                    float* out,
                    const PoolShape& shape) noexcept = nullptr;
};

// The tables that this processor can run: scalar first, the best last.
std::span<const Table> available();

// The available table of that name; throws Error naming the choices when there is none.
const Table& select(std::string_view name);

// The table to use: the one named by the environment variable MAAS_FORCE_ISA, else the best.
// Chosen at the first call; throws as select() does.
const Table& active();

}  // namespace maas::kernels
