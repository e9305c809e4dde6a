// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/backends.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <dlfcn.h>

namespace maas {
namespace {

namespace fs = std::filesystem;

struct Format {
  std::string_view suffix;
  std::string_view library;
};

// One line per format; the library exports `maas_backend`, a function that returns its Backend.
constexpr std::array kFormats = {
    Format{".pt", "libmaas_torch.so"},
    Format{".pth", "libmaas_torch.so"},
    Format{".ts", "libmaas_torch.so"},
};

const Format& format_of(const fs::path& path) {
  const std::string suffix = path.extension().string();
  const auto* found = std::find_if(kFormats.begin(), kFormats.end(),
                                   [&](const Format& f) { return f.suffix == suffix; });
  if (found == kFormats.end()) {
    throw Error(ErrorCode::kInvalidArgument, "no back-end reads '" + path.string() +
                                                 "'; a TorchScript file ends in .pt, .pth or .ts");
  }
  return *found;
}

// TorchScript files are zip archives. Looked at before LibTorch is loaded, which takes a second.
void check_archive(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::kNotFound,
                "model file '" + path.string() + "' does not exist; check the path");
  }
  if (!fs::is_regular_file(path, error)) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + path.string() + "' is not a file; give the path of a TorchScript file");
  }
  std::ifstream in(path, std::ios::binary);
  std::array<char, 4> magic{};
  if (!in.read(magic.data(), magic.size()) || std::string_view(magic.data(), 2) != "PK") {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + path.string() +
                    "' is no TorchScript archive (or is cut off); save the model with "
                    "torch.jit.save(torch.jit.script(model), path)");
  }
}

// Back-end libraries lie beside the library that holds this function.
fs::path library_folder() {
  Dl_info info{};
  dladdr(reinterpret_cast<const void*>(&load_model), &info);
  return info.dli_fname == nullptr ? fs::path() : fs::path(info.dli_fname).parent_path();
}

const Backend& open_backend(std::string_view library) {
  const fs::path path = library_folder() / library;
  // Never closed: LibTorch does not survive being unloaded. A second dlopen returns the first's.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw Error(ErrorCode::kUnavailable, std::string("the back-end cannot be loaded: ") +
                                             dlerror() +
                                             "; install the torch that this maas was built with");
  }
  auto* make = reinterpret_cast<const Backend* (*)()>(dlsym(handle, "maas_backend"));
  if (make == nullptr) {
    throw Error(ErrorCode::kUnavailable, path.string() + " is no back-end of maas");
  }
  return *make();
}

}  // namespace

std::unique_ptr<Model> load_model(const ModelSource& source) {
  const Format& format = format_of(source.path);
  check_archive(source.path);
  return open_backend(format.library).load(source);
}

}  // namespace maas
