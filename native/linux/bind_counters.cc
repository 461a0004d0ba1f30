// CounterSet, Sampler and Breakpoints as classes of JavaScript. Results go into preallocated BigUint64Arrays; what is returned is
// a count or 0, below 0 an errno.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bindings.h"
#include "breakpoints.h"
#include "counter_set.h"
#include "gather.h"
#include "sampler.h"

namespace nibblemark {

// [type, flags, config, config1, config2] of an event as it comes.
constexpr size_t kWordsPerSpec = 5;

static EventSpec specAt(const uint64_t* words) {
  return {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1]), words[2], words[3], words[4]};
}

static Napi::Value fault(Napi::Env env, const char* what) {
  Napi::TypeError::New(env, what).ThrowAsJavaScriptException();
  return env.Undefined();
}

class CounterSetObject : public Napi::ObjectWrap<CounterSetObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "CounterSet",
                       {InstanceMethod("attach", &CounterSetObject::attach), InstanceMethod("read", &CounterSetObject::read),
                        InstanceMethod("gather", &CounterSetObject::gatherEpochs), InstanceMethod("close", &CounterSetObject::close)});
  }

  explicit CounterSetObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CounterSetObject>(info), set_(specs(info)) {}

 private:
  static std::vector<EventSpec> specs(const Napi::CallbackInfo& info) {
    std::vector<EventSpec> events;
    if (!info[0].IsTypedArray()) {
      fault(info.Env(), "CounterSet(specs: BigUint64Array)");
      return events;
    }
    auto words = info[0].As<Napi::BigUint64Array>();
    for (size_t i = 0; i + kWordsPerSpec <= words.ElementLength(); i += kWordsPerSpec) events.push_back(specAt(words.Data() + i));
    return events;
  }

  Napi::Value attach(const Napi::CallbackInfo& info) {
    if (!info[2].IsTypedArray()) return fault(info.Env(), "attach(tid, cpu, errors: Int32Array)");
    auto errors = info[2].As<Napi::Int32Array>();
    if (errors.ElementLength() < set_.size()) return fault(info.Env(), "errors is shorter than the events");
    const int opened = set_.attach(info[0].ToNumber().Int32Value(), info[1].ToNumber().Int32Value(), errors.Data());
    return Napi::Number::New(info.Env(), opened);
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    if (!info[0].IsTypedArray()) return fault(info.Env(), "read(out: BigUint64Array)");
    auto out = info[0].As<Napi::BigUint64Array>();
    if (out.ElementLength() < set_.size() * kWordsPerEvent) return fault(info.Env(), "out is shorter than the events");
    return Napi::Number::New(info.Env(), set_.read(out.Data()));
  }

  // (pidfd, epochNs, mostNs, out: BigUint64Array [epochs], times: Float64Array [1 + epochs]) -> epochs; times[0]: 1 = it has ended
  Napi::Value gatherEpochs(const Napi::CallbackInfo& info) {
    if (!info[3].IsTypedArray() || !info[4].IsTypedArray()) return fault(info.Env(), "gather(pidfd, epochNs, mostNs, out, times)");
    auto out = info[3].As<Napi::BigUint64Array>();
    auto times = info[4].As<Napi::Float64Array>();
    const size_t words = set_.size() * kWordsPerEvent;
    if (words == 0 || times.ElementLength() < 1) return fault(info.Env(), "there is nothing to gather");
    const size_t most = std::min(out.ElementLength() / words, times.ElementLength() - 1);
    const auto ns = [&](size_t i) { return static_cast<uint64_t>(info[i].ToNumber().Int64Value()); };
    const Gathered got = gather(set_, info[0].ToNumber().Int32Value(), ns(1), ns(2), most, out.Data(), times.Data() + 1);
    times.Data()[0] = got.ended ? 1 : 0;
    return Napi::Number::New(info.Env(), static_cast<double>(got.epochs));
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    set_.close();
    return info.Env().Undefined();
  }

  CounterSet set_;
};

class SamplerObject : public Napi::ObjectWrap<SamplerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Sampler",
                       {InstanceMethod("attach", &SamplerObject::attach), InstanceMethod("drain", &SamplerObject::drain),
                        InstanceMethod("lost", &SamplerObject::lost), InstanceMethod("close", &SamplerObject::close)});
  }

  // (spec: BigUint64Array of one event, period, preciseIp, sampleType, pages)
  explicit SamplerObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<SamplerObject>(info),
        sampler_(one(info), info[1].ToNumber().Int64Value(), info[2].ToNumber().Uint32Value(), info[3].ToNumber().Int64Value(),
                 info[4].ToNumber().Uint32Value()) {
    if (!sampleTypeKnown(static_cast<uint64_t>(info[3].ToNumber().Int64Value()))) fault(info.Env(), "unknown sample type");
  }

 private:
  static EventSpec one(const Napi::CallbackInfo& info) {
    if (info[0].IsTypedArray() && info[0].As<Napi::BigUint64Array>().ElementLength() >= kWordsPerSpec) {
      return specAt(info[0].As<Napi::BigUint64Array>().Data());
    }
    fault(info.Env(), "Sampler(spec: BigUint64Array, period, preciseIp, sampleType, pages)");
    return {};
  }

  Napi::Value attach(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), -sampler_.attach(info[0].ToNumber().Int32Value()));
  }

  Napi::Value drain(const Napi::CallbackInfo& info) {
    if (!info[0].IsTypedArray()) return fault(info.Env(), "drain(out: BigUint64Array)");
    auto out = info[0].As<Napi::BigUint64Array>();
    return Napi::Number::New(info.Env(), static_cast<double>(sampler_.drain(out.Data(), out.ElementLength() / kWordsPerSample)));
  }

  // Records lost, broken ones and throttlings so far.
  Napi::Value lost(const Napi::CallbackInfo& info) {
    const RingCounts& counts = sampler_.counts();
    return Napi::Number::New(info.Env(), static_cast<double>(counts.lost + counts.broken + counts.throttled));
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    sampler_.close();
    return info.Env().Undefined();
  }

  Sampler sampler_;
};

class BreakpointsObject : public Napi::ObjectWrap<BreakpointsObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Breakpoints",
                       {InstanceMethod("arm", &BreakpointsObject::arm), InstanceMethod("read", &BreakpointsObject::read),
                        InstanceMethod("disarm", &BreakpointsObject::disarm), InstanceMethod("close", &BreakpointsObject::close)});
  }

  explicit BreakpointsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BreakpointsObject>(info) {}

 private:
  // (tid, address: number, writesOnly, limit)
  Napi::Value arm(const Napi::CallbackInfo& info) {
    const int probe = points_.arm(info[0].ToNumber().Int32Value(), static_cast<uint64_t>(info[1].ToNumber().DoubleValue()),
                                  info[2].ToBoolean().Value(), info[3].ToNumber().Uint32Value());
    return Napi::Number::New(info.Env(), probe);
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    if (!info[1].IsTypedArray()) return fault(info.Env(), "read(probe, out: BigUint64Array)");
    auto out = info[1].As<Napi::BigUint64Array>();
    if (out.ElementLength() < kWordsPerProbe) return fault(info.Env(), "out is shorter than a probe");
    return Napi::Boolean::New(info.Env(), points_.read(info[0].ToNumber().Int32Value(), out.Data()));
  }

  Napi::Value disarm(const Napi::CallbackInfo& info) {
    points_.disarm(info[0].ToNumber().Int32Value());
    return info.Env().Undefined();
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    points_.close();
    return info.Env().Undefined();
  }

  Breakpoints points_;
};

void registerCounters(Napi::Env env, Napi::Object exports) {
  exports.Set("CounterSet", CounterSetObject::define(env));
  exports.Set("Sampler", SamplerObject::define(env));
  exports.Set("Breakpoints", BreakpointsObject::define(env));
}

}  // namespace nibblemark
