#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gatewayctl_fuzz::run("cluster_toml", input));
