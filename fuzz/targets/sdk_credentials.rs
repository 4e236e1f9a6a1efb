#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| cce_login::fuzzing::sdk_credentials(kubectl_cce_login_fuzz::home(), data));
