#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| cce_login::fuzzing::hcloud_config(kubectl_cce_login_fuzz::home(), data));
