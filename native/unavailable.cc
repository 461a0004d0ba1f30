// Platforms without an implementation: the addon loads and says so.
#include "platform.h"

namespace nibblemark {

void registerPlatform(Napi::Env env, Napi::Object exports) {
  exports.Set("platform", Napi::String::New(env, "other"));
  exports.Set("unavailable", Napi::String::New(env, "counters and process control exist for Linux only"));
}

}  // namespace nibblemark
