//! What tests of the boundary need: memory written from outside, and an account of what is held.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicIsize, Ordering::Relaxed},
};

use js_sys::{Uint8Array, WebAssembly::Memory};
use wasm_bindgen::JsCast;

/// As the package does it: written from outside into wasm memory.
pub fn write(at: usize, bytes: &[u8]) {
    let memory: Memory = wasm_bindgen::memory().unchecked_into();
    Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), at as u32, bytes.len() as u32).copy_from(bytes);
}

static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counted;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Relaxed);
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static HEAP: Counted = Counted;

/// What Rust holds right now: bytes of its heap, and JS values.
pub fn held() -> (isize, isize) {
    (LIVE.load(Relaxed), wasm_bindgen::externref_heap_live_count() as isize)
}
