// What each platform file gives: it fills the addon's exports, or says why there is nothing to fill them with.
#pragma once

#include <napi.h>

namespace nibblemark {

// Sets `platform` (a name) and either the functions of src/core/native.ts or `unavailable` (a sentence).
void registerPlatform(Napi::Env env, Napi::Object exports);

}  // namespace nibblemark
