//! A chunk: the slots of some rows that one query brought, in one allocation.
#![allow(unsafe_code, reason = "raw memory of slots whose type is known by the model's vtable only")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::arena::Arena;
use super::def::ModelDef;
use super::slot::{FARTHEST, SlotHeader, SlotPtr, State};
use super::sync::{AtomicBool, AtomicUsize, Ordering};

/// The beginning of a chunk; its slots follow in the same allocation.
pub(crate) struct ChunkHeader {
    /// The one way from a row to its arena, which does not keep it alive; null while the arena is being dropped.
    pub(super) arena: *const Arena,
    pub(super) def: &'static ModelDef,
    /// The query that brought the rows: those of one query are siblings.
    pub(super) query: u32,
    capacity: u32,
    /// The chunk that the arena was given before.
    pub(super) previous: *mut ChunkHeader,
    /// How many slots are initialised.
    len: AtomicUsize,
    /// From the header to the first slot.
    slots: u32,
    /// From slot to slot.
    stride: u32,
    /// From a slot to its value.
    pub(super) value: u32,
    /// Of the first chunk of a statement: whether it may still bring rows that no identity map knows.
    pub(super) loading: AtomicBool,
    /// Whether an identity map was built meanwhile.
    pub(super) indexed: AtomicBool,
}

/// Where slots and values lie in a chunk of a model; known when the model is compiled.
#[derive(Clone, Copy)]
pub(super) struct SlotLayout {
    /// From the chunk's beginning to the first slot.
    slots: u32,
    /// From the slot to its value.
    value: u32,
    /// From slot to slot.
    stride: u32,
    /// The most rows of a chunk.
    most: u32,
    align: usize,
}

impl SlotLayout {
    pub(super) const fn of(value: Layout) -> Self {
        let header = Layout::new::<SlotHeader>();
        let align = if value.align() > header.align() { value.align() } else { header.align() };
        let offset = header.size().next_multiple_of(value.align());
        let stride = (offset + value.size()).next_multiple_of(align);
        let fitting = MOST_BYTES / stride;
        let most = if fitting > MOST_ROWS { MOST_ROWS } else { fitting };
        Self {
            slots: small(size_of::<ChunkHeader>().next_multiple_of(align)),
            value: small(offset),
            stride: small(stride),
            most: if most == 0 { 1 } else { small(most) },
            align,
        }
    }

    /// The layout of a chunk of so many slots.
    fn chunk(&self, capacity: usize) -> Layout {
        let size = (self.stride as usize).checked_mul(capacity).and_then(|size| size.checked_add(self.slots as usize));
        let align = self.align.max(align_of::<ChunkHeader>());
        match size.and_then(|size| Layout::from_size_align(size, align).ok()) {
            Some(layout) => layout,
            None => panic!("a chunk of {capacity} rows exceeds the address space"),
        }
    }
}

/// The largest chunk, in rows: beyond it doubling wastes more memory than it saves allocations.
const MOST_ROWS: usize = 1024;

/// The largest chunk of more than one row, in bytes.
const MOST_BYTES: usize = 1 << 20;

const _: () = assert!(MOST_BYTES < FARTHEST, "a slot must find back to its chunk");

/// Offsets and counts of one allocation, which is far below 4 GiB: a mebibyte, or one row.
const fn small(number: usize) -> u32 {
    assert!(number <= u32::MAX as usize, "a model of this size is too large for a chunk");
    number as u32
}

impl ChunkHeader {
    /// How many rows the chunk after one of `capacity` rows has.
    pub(super) fn next_capacity(def: &ModelDef, capacity: usize) -> usize {
        (capacity * 2).clamp(1, def.vtable.slot.most as usize)
    }

    /// A new chunk without any row.
    pub(super) fn allocate(arena: *const Arena, def: &'static ModelDef, query: u32, capacity: usize) -> NonNull<Self> {
        let slot = def.vtable.slot;
        let layout = slot.chunk(capacity);
        // SAFETY: the layout has the header's size at least, which is not zero.
        let memory = unsafe { alloc(layout) }.cast::<Self>();
        let Some(chunk) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let header = Self {
            arena,
            def,
            query,
            capacity: small(capacity),
            previous: std::ptr::null_mut(),
            len: AtomicUsize::new(0),
            slots: slot.slots,
            stride: slot.stride,
            value: slot.value,
            loading: AtomicBool::new(false),
            indexed: AtomicBool::new(false),
        };
        // SAFETY: freshly allocated for a header and its slots.
        unsafe { chunk.write(header) };
        chunk
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() == self.capacity as usize
    }

    /// The slot at a position, initialised or not.
    ///
    /// # Safety
    /// `chunk` is alive, and `index` is below its capacity.
    pub(super) unsafe fn slot(chunk: NonNull<Self>, index: usize) -> NonNull<SlotHeader> {
        // SAFETY: as the caller says.
        let (slots, stride) = unsafe { (chunk.as_ref().slots as usize, chunk.as_ref().stride as usize) };
        // SAFETY: within the chunk's one allocation.
        unsafe { chunk.byte_add(slots + stride * index).cast() }
    }

    /// Makes one more row: `init` writes its value. When it fails the chunk is as before.
    ///
    /// # Safety
    /// `chunk` is alive, not full, and filled by nobody else; `init` has written a valid value of the chunk's model
    /// when it returns `Ok`.
    #[inline]
    pub(super) unsafe fn push<E>(
        chunk: NonNull<Self>,
        state: State,
        epoch: u32,
        init: impl FnOnce(*mut ()) -> Result<(), E>,
    ) -> Result<SlotPtr, E> {
        // SAFETY: alive, as the caller says.
        let header = unsafe { chunk.as_ref() };
        let len = header.len.load(Ordering::Relaxed);
        debug_assert!(len < header.capacity as usize);
        let back = header.slots as usize + header.stride as usize * len;
        // SAFETY: below the capacity.
        let slot: NonNull<SlotHeader> = unsafe { chunk.byte_add(back) }.cast();
        // SAFETY: the value's place in the slot.
        init(unsafe { slot.byte_add(header.value as usize) }.as_ptr().cast())?;
        // SAFETY: the header's place in the slot.
        unsafe { slot.write(SlotHeader::new(back, state, epoch)) };
        header.len.store(len + 1, Ordering::Release);
        Ok(SlotPtr(slot))
    }

    /// Gives the memory back; the values in it are dropped already.
    ///
    /// # Safety
    /// `chunk` came from `allocate` and nothing points into it any more.
    pub(super) unsafe fn free(chunk: NonNull<Self>) {
        // SAFETY: alive until here.
        let layout = unsafe { chunk.as_ref().def.vtable.slot.chunk(chunk.as_ref().capacity as usize) };
        // SAFETY: the header has nothing to drop, and the memory came from `alloc` with this layout.
        unsafe { dealloc(chunk.as_ptr().cast(), layout) };
    }
}

/// A chunk being filled by one loader.
#[derive(Clone, Copy)]
pub(crate) struct ChunkPtr(pub(super) NonNull<ChunkHeader>);

// SAFETY: the chunk belongs to an arena, which is Send and Sync, and one loader fills it.
unsafe impl Send for ChunkPtr {}
// SAFETY: as above.
unsafe impl Sync for ChunkPtr {}

impl ChunkPtr {
    /// How many rows the chunk after one of `capacity` rows has; 0 is before the first.
    pub(crate) fn next_capacity(def: &ModelDef, capacity: usize) -> usize {
        ChunkHeader::next_capacity(def, capacity)
    }

    fn header<'a>(self) -> &'a ChunkHeader {
        // SAFETY: whoever holds one keeps the arena, and with it the chunk.
        unsafe { self.0.as_ref() }
    }

    /// Begins a statement whose rows the identity map does not know: this is its first chunk.
    pub(super) fn begin_loading(self) {
        self.header().loading.store(true, Ordering::Relaxed);
    }

    /// Whether the statement may still bring rows. Where it does not, all that it brought are seen.
    pub(super) fn is_loading(self) -> bool {
        self.header().loading.load(Ordering::Acquire)
    }

    /// The statement brings no more rows past the identity map.
    #[inline]
    pub(super) fn end_loading(self) {
        self.header().loading.store(false, Ordering::Release);
    }

    /// Tells the statement that there is an identity map now. Only under the tracker's lock.
    pub(super) fn note_indexed(self) {
        self.header().indexed.store(true, Ordering::Release);
    }

    /// Whether an identity map was built while the statement brings its rows.
    #[inline]
    pub(super) fn is_indexed(self) -> bool {
        self.header().indexed.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn is_full(self) -> bool {
        self.header().is_full()
    }

    /// Makes one more row in a chunk that is not full.
    ///
    /// # Safety
    /// `init` has written a valid value of the chunk's model when it returns `Ok`; the caller is the only one who
    /// fills this chunk and keeps its arena alive.
    #[inline]
    pub(crate) unsafe fn push<E>(
        self,
        state: State,
        epoch: u32,
        init: impl FnOnce(*mut ()) -> Result<(), E>,
    ) -> Result<SlotPtr, E> {
        assert!(!self.is_full(), "a full chunk takes no more rows");
        // SAFETY: as the caller says, and not full.
        unsafe { ChunkHeader::push(self.0, state, epoch, init) }
    }
}
