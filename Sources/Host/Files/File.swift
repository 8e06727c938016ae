internal import CHostShim
internal import Glibc

/// An open file. All calls block.
public final class File: Sendable {
    /// The descriptor, closed with the object.
    public let descriptor: CInt
    /// The name it was opened by, for error texts.
    public let name: String

    /// Takes over a descriptor.
    public init(descriptor: CInt, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit { Descriptor.close(descriptor) }

    /// Size in bytes.
    /// - Throws: ``HostError``.
    public func size() throws(HostError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("looking at \(name)") }
        return Int(status.st_size)
    }

    /// Up to `count` bytes from `offset`; fewer at the end of the file.
    /// - Throws: ``HostError``.
    public func read(at offset: Int, count: Int) throws(HostError) -> [UInt8] {
        guard offset >= 0, count >= 0 else { throw .configuration("a read of \(count) bytes at \(offset)") }
        var failure: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, offset + filled)
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    break
                } else if errno != EINTR {
                    failure = errno
                    break
                }
            }
        }
        guard failure == 0 else { throw .system("reading \(name)", failure) }
        return bytes
    }

    /// Writes all of `bytes` at `offset`.
    /// - Throws: ``HostError``; some of the bytes may then have been written.
    public func write(_ bytes: [UInt8], at offset: Int) throws(HostError) {
        var failure: CInt = 0
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let put = pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
                if put >= 0 {
                    done += put
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        guard failure == 0 else { throw .system("writing \(name)", failure) }
    }

    /// Cuts or extends the file.
    /// - Throws: ``HostError``.
    public func truncate(to size: Int) throws(HostError) {
        guard ftruncate(descriptor, size) == 0 else { throw .system("truncating \(name)") }
    }

    /// Reserves disk space for `offset ..< offset + count` without changing the file's size, so that later writes
    /// there don't change metadata. A file system that can't is no error.
    /// - Throws: ``HostError``, when the disk is full for one.
    public func reserve(at offset: Int, count: Int) throws(HostError) {
        let failure = -host_shim_reserve(descriptor, off_t(offset), off_t(count))
        if failure == 0 || failure == EOPNOTSUPP || failure == ENOSYS { return }
        throw .system("reserving \(count) bytes of \(name)", failure)
    }

    /// Makes content, and the metadata needed to read it, durable (fdatasync).
    /// - Throws: ``HostError``. What was written before a failed sync must be taken as lost: a second sync that
    ///   succeeds proves nothing.
    public func sync() throws(HostError) {
        guard fdatasync(descriptor) == 0 else { throw .sync("fdatasync of \(name)", errno) }
    }

    /// Makes content and all metadata durable (fsync).
    /// - Throws: ``HostError``.
    public func syncAll() throws(HostError) {
        guard fsync(descriptor) == 0 else { throw .sync("fsync of \(name)", errno) }
    }
}
