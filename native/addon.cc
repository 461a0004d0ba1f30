// The addon `nibblemark`: counters, sampling and process control for programs that are watched. Everything that depends on
// the operating system is in the platform's own file.
#include "platform.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  nibblemark::registerPlatform(env, exports);
  return exports;
}

NODE_API_MODULE(nibblemark, init)
