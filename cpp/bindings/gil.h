// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include <pybind11/pybind11.h>

namespace maas {

// True while the interpreter goes down: then nobody may wait for the GIL any more.
inline bool interpreter_is_finalizing() noexcept {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

// A Python object that C++ keeps: it may be copied and dropped on any thread, with or without the
// GIL, also after the interpreter has gone (then it leaks, which is all that can be done).
class PyHandle {
 public:
  explicit PyHandle(pybind11::object object)
      : object_(new pybind11::object(std::move(object)), &PyHandle::drop) {}

  // REQUIRES: the GIL
  [[nodiscard]] const pybind11::object& get() const noexcept { return *object_; }

 private:
  // A thread without the GIL leaves the object to the main thread: Python ends a thread that waits
  // for the GIL of an interpreter that goes down, and no C++ frame survives that. When too many
  // wait there already it takes the GIL all the same.
  // NOLINTNEXTLINE(bugprone-exception-escape): throws only without memory for a thread's state
  static void drop(pybind11::object* last) noexcept {
    if (interpreter_is_finalizing()) {
      return;
    }
    if (PyGILState_Check() != 0) {
      delete last;
    } else if (Py_AddPendingCall(&PyHandle::drop_in_main_thread, last) != 0) {
      const pybind11::gil_scoped_acquire gil;
      delete last;
    }
  }
  static int drop_in_main_thread(void* last) {
    delete static_cast<pybind11::object*>(last);
    return 0;
  }

  std::shared_ptr<pybind11::object> object_;
};

// For objects whose destruction waits for threads that may need the GIL.
struct DeleteWithoutGil {
  template <typename T>
  void operator()(T* last) const {
    if (Py_IsInitialized() != 0 && PyGILState_Check() != 0) {
      const pybind11::gil_scoped_release unlocked;
      delete last;
    } else {
      delete last;
    }
  }
};

}  // namespace maas
