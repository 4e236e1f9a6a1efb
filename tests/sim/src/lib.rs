//! A simulated Huawei Cloud on loopback.
