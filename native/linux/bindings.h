// Registration of the addon's parts for Linux; src/core/native.ts describes what they give.
#pragma once

#include <napi.h>

namespace nibblemark {

void registerCounters(Napi::Env env, Napi::Object exports);
void registerProcess(Napi::Env env, Napi::Object exports);

}  // namespace nibblemark
