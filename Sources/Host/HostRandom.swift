internal import CHostShim
internal import Glibc

/// Random bytes of the kernel (getrandom(2)).
public enum HostRandom {
    /// `count` unpredictable bytes. Blocks only in the first moments after the machine's start.
    public static func bytes(_ count: Int) -> [UInt8] {
        precondition(count >= 0, "\(count) random bytes")
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = host_shim_random(buffer.baseAddress?.advanced(by: filled), count - filled)
                if got > 0 { filled += got } else { precondition(got == -Int(EINTR), "getrandom failed: \(got)") }
            }
        }
    }
}
