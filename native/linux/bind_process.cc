// Processes, stops and clocks as functions of JavaScript. Numbers; below 0 an errno.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "bindings.h"
#include "cgroup.h"
#include "clock.h"
#include "loops.h"
#include "pulse.h"
#include "spawn.h"
#include "threads.h"

namespace nibblemark {

using Info = Napi::CallbackInfo;

static Napi::Value number(const Info& info, double value) { return Napi::Number::New(info.Env(), value); }
static int32_t int32(const Info& info, size_t i) { return info[i].ToNumber().Int32Value(); }

static std::vector<std::string> strings(const Napi::Value& value) {
  std::vector<std::string> list;
  if (!value.IsArray()) return list;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) list.push_back(array.Get(i).ToString().Utf8Value());
  return list;
}

// (file, args, env, cgroupProcs, memoryNodes, quiet) -> {pid, go, status} or {pid: -errno}
static Napi::Value spawn(const Info& info) {
  const SpawnRequest request = {info[0].ToString().Utf8Value(), strings(info[1]), strings(info[2]), info[3].ToString().Utf8Value(),
                                static_cast<uint64_t>(info[4].ToNumber().Int64Value()), info[5].ToBoolean().Value()};
  const Spawned spawned = spawnWaiting(request);
  auto result = Napi::Object::New(info.Env());
  result.Set("pid", spawned.pid > 0 ? spawned.pid : -errno);
  result.Set("go", spawned.go);
  result.Set("status", spawned.status);
  return result;
}

// (go, status) -> 0 or the errno of the start
static Napi::Value release(const Info& info) {
  Spawned spawned = {0, int32(info, 0), int32(info, 1)};
  return number(info, letGo(spawned));
}

static Napi::Value reapChild(const Info& info) {
  const Ended ended = reap(int32(info, 0));
  if (!ended.ended) return info.Env().Null();
  const auto ns = [](const timeval& time) { return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3; };
  auto result = Napi::Object::New(info.Env());
  result.Set("code", ended.code);
  result.Set("signal", ended.signal);
  result.Set("userNs", ns(ended.usage.ru_utime));
  result.Set("systemNs", ns(ended.usage.ru_stime));
  return result;
}

static Napi::Value pidfdOpen(const Info& info) {
  const long fd = syscall(SYS_pidfd_open, int32(info, 0), 0);
  return number(info, fd < 0 ? -errno : static_cast<double>(fd));
}

static Napi::Value pidfdSignal(const Info& info) {
  const long failed = syscall(SYS_pidfd_send_signal, int32(info, 0), int32(info, 1), nullptr, 0);
  return number(info, failed == 0 ? 0 : -errno);
}

// (pidfd, ns) -> 1 the process has ended, 0 the time is over or a signal came
static Napi::Value waitEnd(const Info& info) {
  pollfd poll = {int32(info, 0), POLLIN, 0};
  const auto ns = static_cast<int64_t>(std::max(0.0, info[1].ToNumber().DoubleValue()));
  const timespec patience = {static_cast<time_t>(ns / 1000000000), static_cast<long>(ns % 1000000000)};
  const int ready = ppoll(&poll, 1, &patience, nullptr);
  return number(info, ready > 0 && (poll.revents & POLLIN) != 0);
}

static Napi::Value closeFd(const Info& info) {
  return number(info, close(int32(info, 0)) == 0 ? 0 : -errno);
}

// (pid, out: Float64Array) -> threads of the process and its descendants; [pid, tid, on-CPU ns] each, as many as fit
static Napi::Value threads(const Info& info) {
  std::vector<Thread> list;
  for (const pid_t pid : processTree(int32(info, 0))) threadsOf(pid, true, list);
  auto out = info[1].As<Napi::Float64Array>();
  const size_t most = std::min(list.size(), out.ElementLength() / 3);
  for (size_t i = 0; i < most; i++) {
    out[i * 3] = list[i].pid;
    out[i * 3 + 1] = list[i].tid;
    out[i * 3 + 2] = static_cast<double>(list[i].onCpuNs);
  }
  return number(info, static_cast<double>(list.size()));
}

// (pid) -> state letter, "" when it is gone
static Napi::Value state(const Info& info) {
  const char letter = stateOf(int32(info, 0)).state;
  return Napi::String::New(info.Env(), &letter, letter == 0 ? 0 : 1);
}

static Napi::Value cgroupLeave(const Info& info) {
  const std::string folder = info[0].ToString().Utf8Value();
  setFrozen(folder.c_str(), false);
  return number(info, -leaveCgroup(folder.c_str(), info[1].ToString().Utf8Value().c_str(), 1000));
}

// (cgroup folder or "", rounds, ns) -> ns
static Napi::Value stopExcess(const Info& info) {
  const std::string folder = info[0].ToString().Utf8Value();
  const auto ns = static_cast<uint64_t>(info[2].ToNumber().Int64Value());
  return number(info, stopExcessNs(folder.empty() ? nullptr : folder.c_str(), int32(info, 1), ns));
}

static Napi::Value spin(const Info& info) {
  return number(info, static_cast<double>(spinNs(static_cast<uint64_t>(info[0].ToNumber().Int64Value()))));
}

static Napi::Value loop(const Info& info) {
  countedLoop(static_cast<uint64_t>(info[0].ToNumber().Int64Value()));
  return info.Env().Undefined();
}

// (bytes, steps) -> ns a step
static Napi::Value chase(const Info& info) {
  const auto bytes = static_cast<size_t>(info[0].ToNumber().Int64Value());
  return number(info, chaseLines(bytes, static_cast<uint64_t>(info[1].ToNumber().Int64Value())));
}

// What the watchdog shares: `fd` to hand over, `protect` before the first stop, `stop`, `close`.
class GuardObject : public Napi::ObjectWrap<GuardObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Guard",
                       {InstanceAccessor("fd", &GuardObject::fd, nullptr), InstanceMethod("protect", &GuardObject::protect),
                        InstanceMethod("note", &GuardObject::note), InstanceMethod("expectWake", &GuardObject::expectWake),
                        InstanceMethod("stop", &GuardObject::stop), InstanceMethod("close", &GuardObject::closeIt)});
  }

  explicit GuardObject(const Info& info) : Napi::ObjectWrap<GuardObject>(info), guard_(openGuard()) {}
  ~GuardObject() override { closeGuard(guard_); }

 private:
  Napi::Value fd(const Info& info) { return number(info, guard_.fd); }

  // (cgroup folder or "", cgroup.procs to go home to or "")
  Napi::Value protect(const Info& info) {
    if (guard_.guard == nullptr) return number(info, -ENOMEM);
    std::snprintf(guard_.guard->home, kPathBytes, "%s", info[1].ToString().Utf8Value().c_str());
    std::snprintf(guard_.guard->cgroup, kPathBytes, "%s", info[0].ToString().Utf8Value().c_str());
    return number(info, 0);
  }

  // (pid)
  Napi::Value note(const Info& info) {
    noteThreads(int32(info, 0), ledger_);
    return info.Env().Undefined();
  }

  // (ns)
  Napi::Value expectWake(const Info& info) {
    ledger_.wakeNs = static_cast<uint64_t>(info[0].ToNumber().Int64Value());
    return info.Env().Undefined();
  }

  // (pid, ns) -> ns stopped
  Napi::Value stop(const Info& info) {
    if (guard_.guard == nullptr) return number(info, -ENOMEM);
    const auto ns = static_cast<uint64_t>(info[1].ToNumber().Int64Value());
    return number(info, static_cast<double>(stopFor(guard_.guard, ledger_, int32(info, 0), ns)));
  }

  Napi::Value closeIt(const Info& info) {
    closeGuard(guard_);
    return info.Env().Undefined();
  }

  OpenGuard guard_;
  Ledger ledger_;
};

void registerProcess(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, Napi::Value (*function)(const Info&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("spawn", spawn);
  add("release", release);
  add("reap", reapChild);
  add("pidfdOpen", pidfdOpen);
  add("pidfdSignal", pidfdSignal);
  add("waitEnd", waitEnd);
  add("closeFd", closeFd);
  add("threads", threads);
  add("state", state);
  add("cgroupLeave", cgroupLeave);
  add("stopExcess", stopExcess);
  add("spin", spin);
  add("loop", loop);
  add("chase", chase);
  exports.Set("Guard", GuardObject::define(env));
}

}  // namespace nibblemark
