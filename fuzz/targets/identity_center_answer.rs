#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| kubectl_cce_login_fuzz::answered(
    data,
    cce_login::fuzzing::identity_center_answer
));
