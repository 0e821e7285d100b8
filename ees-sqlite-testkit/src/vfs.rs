//! The calls of SQLite. See <https://sqlite.org/c3ref/vfs.html> and
//! <https://sqlite.org/c3ref/io_methods.html>.
//!
//! The shim is SQLite's default VFS from the first watched folder on. It hands every call to the
//! VFS that was the default before. A file of a watched folder gets methods of this module.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int, c_void};
use std::io;
use std::mem;
use std::path::Path;
use std::ptr;
use std::slice;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rusqlite::ffi::{
    SQLITE_IOERR_DELETE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_OK,
    sqlite3_file, sqlite3_filename, sqlite3_initialize, sqlite3_io_methods, sqlite3_vfs,
    sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::log::Call;
use crate::watched::Watched;

static DISKS: Mutex<Vec<Weak<Watched>>> = Mutex::new(Vec::new());

/// The VFS that does the work.
struct Real(*mut sqlite3_vfs);

// SAFETY: SQLite requires that a VFS can be called by all threads.
unsafe impl Send for Real {}
// SAFETY: the same.
unsafe impl Sync for Real {}

static REAL: OnceLock<Option<Real>> = OnceLock::new();

/// Has the files of a disk's folder watched from now on.
pub(crate) fn watch(disk: &Arc<Watched>) -> io::Result<()> {
    if REAL.get_or_init(install).is_none() {
        return Err(io::Error::other("SQLite accepts no other file system"));
    }
    let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.retain(|disk| disk.strong_count() > 0);
    disks.push(Arc::downgrade(disk));
    Ok(())
}

/// The disk of a file, and the file's name in its folder.
fn find(path: *const c_char) -> Option<(Arc<Watched>, OsString)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: SQLite hands in a text that ends with a zero byte.
    let path = unsafe { CStr::from_ptr(path) };
    let path = Path::new(path.to_str().ok()?);
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut disks = disks.iter().filter_map(Weak::upgrade);
    let disk = disks.find(|disk| disk.has(path))?;
    Some((disk, path.file_name()?.to_owned()))
}

/// Makes the shim the default VFS, and returns the one that was it before.
fn install() -> Option<Real> {
    // SAFETY: these functions may be called at any time. The found VFS lives as long as the process.
    let real = unsafe {
        if sqlite3_initialize() != SQLITE_OK {
            return None;
        }
        sqlite3_vfs_find(ptr::null()).as_mut()?
    };
    let shim = Box::new(sqlite3_vfs {
        szOsFile: c_int::try_from(mem::size_of::<File>()).ok()? + real.szOsFile,
        pNext: ptr::null_mut(),
        zName: c"ees-testkit".as_ptr(),
        xOpen: Some(open),
        xDelete: Some(delete),
        ..*real
    });
    // SAFETY: the shim is never freed.
    let registered = unsafe { sqlite3_vfs_register(Box::into_raw(shim), 1) };
    (registered == SQLITE_OK).then_some(Real(real))
}

fn real() -> &'static sqlite3_vfs {
    match REAL.get_or_init(install) {
        // SAFETY: the VFS lives as long as the process.
        Some(Real(real)) => unsafe { &**real },
        None => unreachable!("SQLite calls the shim only after it was installed"),
    }
}

/// A file as SQLite sees it. The file of the real VFS follows it in memory.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// Null if the file is not watched.
    watched: *mut WatchedFile,
}

struct WatchedFile {
    disk: Arc<Watched>,
    name: OsString,
}

/// The file of the real VFS.
///
/// # Safety
/// `file` must be a file that [`open`] was given.
unsafe fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite allocated `szOsFile` bytes, which include those of the real file.
    unsafe { file.byte_add(mem::size_of::<File>()) }
}

/// The methods of the real VFS for a file.
///
/// # Safety
/// `file` must be an open file of this VFS.
unsafe fn methods(file: *mut sqlite3_file) -> &'static sqlite3_io_methods {
    // SAFETY: the real VFS has set the methods of a file that is open, and they are static.
    unsafe { &*(*inner(file)).pMethods }
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    path: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let shim = file.cast::<File>();
    // SAFETY: SQLite hands in enough uninitialized memory for both files.
    unsafe {
        (*shim).base.pMethods = ptr::null();
        (*shim).watched = ptr::null_mut();
        (*inner(file)).pMethods = ptr::null();
        let Some(open) = real().xOpen else {
            return rusqlite::ffi::SQLITE_CANTOPEN;
        };
        let real = ptr::from_ref(real()).cast_mut();
        let opened = open(real, path, inner(file), flags, out_flags);
        if (*inner(file)).pMethods.is_null() {
            return opened;
        }
        if let Some((disk, name)) = find(path) {
            (*shim).watched = Box::into_raw(Box::new(WatchedFile { disk, name }));
        }
        (*shim).base.pMethods = &raw const METHODS;
        opened
    }
}

unsafe extern "C" fn delete(_vfs: *mut sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    let real = real();
    let delete = || match real.xDelete {
        // SAFETY: the arguments are SQLite's own.
        Some(delete) => result(unsafe { delete(ptr::from_ref(real).cast_mut(), path, sync) }),
        None => Err(SQLITE_IOERR_DELETE),
    };
    let Some((disk, name)) = find(path) else {
        return code(delete());
    };
    let deleted = disk.change(&name, Call::Delete, SQLITE_IOERR_DELETE, delete);
    if deleted.is_ok() && sync != 0 {
        // The real VFS has flushed the folder.
        disk.record(&name, Call::Flush);
    }
    code(deleted)
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without memory-mapped files, which version 3 adds.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(flush),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The disk of a file and its name, if it is watched.
///
/// # Safety
/// `file` must be an open file of this VFS.
unsafe fn watched<'f>(file: *mut sqlite3_file) -> Option<(&'f Watched, &'f OsStr)> {
    // SAFETY: the pointer is null or comes from a box that `close` frees.
    let watched = unsafe { (*file.cast::<File>()).watched.as_ref()? };
    Some((&watched.disk, &watched.name))
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let shim = file.cast::<File>();
    // SAFETY: the box was made by `open`, and SQLite closes a file once.
    unsafe {
        let watched = mem::replace(&mut (*shim).watched, ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        methods(file)
            .xClose
            .map_or(SQLITE_OK, |close| close(inner(file)))
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: the arguments are SQLite's own, and `bytes` has `count` bytes.
    let (written, watched) = unsafe {
        let write = || match methods(file).xWrite {
            Some(write) => result(write(inner(file), bytes, count, offset)),
            None => Err(SQLITE_IOERR_WRITE),
        };
        let watched = watched(file);
        (write, watched)
    };
    code(match watched {
        Some((disk, name)) => {
            // SAFETY: as above.
            let bytes =
                unsafe { slice::from_raw_parts(bytes.cast(), count.unsigned_abs() as usize) };
            let call = Call::Write {
                offset: offset.unsigned_abs(),
                bytes: bytes.to_vec(),
            };
            disk.change(name, call, SQLITE_IOERR_WRITE, written)
        }
        None => written(),
    })
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    let truncate = || {
        // SAFETY: the arguments are SQLite's own.
        let truncated = unsafe {
            let truncate = methods(file).xTruncate;
            truncate.map_or(SQLITE_IOERR_TRUNCATE, |truncate| {
                truncate(inner(file), size)
            })
        };
        result(truncated)
    };
    // SAFETY: SQLite truncates open files.
    code(match unsafe { watched(file) } {
        Some((disk, name)) => {
            let call = Call::Truncate {
                size: size.unsigned_abs(),
            };
            disk.change(name, call, SQLITE_IOERR_TRUNCATE, truncate)
        }
        None => truncate(),
    })
}

unsafe extern "C" fn flush(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let flush = || {
        // SAFETY: the arguments are SQLite's own.
        let flushed = unsafe {
            let sync = methods(file).xSync;
            sync.map_or(SQLITE_IOERR_FSYNC, |sync| sync(inner(file), flags))
        };
        result(flushed)
    };
    // SAFETY: SQLite flushes open files.
    code(match unsafe { watched(file) } {
        Some((disk, name)) => disk.flush(name, SQLITE_IOERR_FSYNC, flush),
        None => flush(),
    })
}

fn result(code: c_int) -> Result<(), c_int> {
    if code == SQLITE_OK { Ok(()) } else { Err(code) }
}

fn code(result: Result<(), c_int>) -> c_int {
    result.err().unwrap_or(SQLITE_OK)
}

/// Methods that only call those of the real VFS.
macro_rules! hand_on {
    ($($name:ident = $method:ident ($($argument:ident: $kind:ty),*) or $missing:expr;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) -> c_int {
            // SAFETY: the arguments are SQLite's own.
            unsafe {
                match methods(file).$method {
                    Some(method) => method(inner(file) $(, $argument)*),
                    None => $missing,
                }
            }
        }
    )*};
}

hand_on! {
    read = xRead(bytes: *mut c_void, count: c_int, offset: i64) or rusqlite::ffi::SQLITE_IOERR_READ;
    file_size = xFileSize(size: *mut i64) or rusqlite::ffi::SQLITE_IOERR_FSTAT;
    lock = xLock(level: c_int) or SQLITE_OK;
    unlock = xUnlock(level: c_int) or SQLITE_OK;
    check_reserved_lock = xCheckReservedLock(found: *mut c_int) or SQLITE_OK;
    file_control = xFileControl(operation: c_int, argument: *mut c_void) or rusqlite::ffi::SQLITE_NOTFOUND;
    sector_size = xSectorSize() or 0;
    device_characteristics = xDeviceCharacteristics() or 0;
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, memory: *mut *mut c_void) or rusqlite::ffi::SQLITE_IOERR_SHMMAP;
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int) or rusqlite::ffi::SQLITE_IOERR_SHMLOCK;
    shm_unmap = xShmUnmap(delete: c_int) or SQLITE_OK;
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: the file is open.
    unsafe {
        if let Some(barrier) = methods(file).xShmBarrier {
            barrier(inner(file));
        }
    }
}
