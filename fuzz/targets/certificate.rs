#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| cce_login::fuzzing::certificate(data));
