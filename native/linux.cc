// The addon on Linux: perf events, debug registers, processes and their cgroups.
#include "linux/bindings.h"
#include "platform.h"

namespace nibblemark {

void registerPlatform(Napi::Env env, Napi::Object exports) {
  exports.Set("platform", Napi::String::New(env, "linux"));
  registerCounters(env, exports);
  registerProcess(env, exports);
}

}  // namespace nibblemark
