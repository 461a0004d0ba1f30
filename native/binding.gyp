# Built by `npm run build:native` (scripts/build-native.mjs). Lies here and not at the root, so that npm never runs node-gyp by itself.
{
  "target_defaults": {
    "cflags_cc!": ["-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-fvisibility=hidden"],
    "ldflags": ["-static-libstdc++", "-static-libgcc"],
  },
  "targets": [
    {
      "target_name": "nibblemark",
      "sources": ["addon.cc"],
      "include_dirs": ["../node_modules/node-addon-api"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "linux.cc",
            "linux/bind_counters.cc",
            "linux/bind_process.cc",
            "linux/breakpoints.cc",
            "linux/calls.cc",
            "linux/clock.cc",
            "linux/counter_set.cc",
            "linux/gather.cc",
            "linux/loops.cc",
            "linux/pulse.cc",
            "linux/ring.cc",
            "linux/sampler.cc",
            "linux/spawn.cc",
            "linux/standing.cc",
            "linux/threads.cc",
          ],
        }, {"sources": ["unavailable.cc"]}],
      ],
    },
  ],
  "conditions": [
    ["OS=='linux'", {
      "targets": [{"target_name": "nibblemark-watchdog", "type": "executable", "sources": ["linux/threads.cc", "linux/watchdog.cc"]}],
    }],
  ],
}
