import Glibc

/// Why a system call failed: its errno(3).
package struct Errno: Error, Hashable {
    package let number: CInt

    package init(_ number: CInt) {
        self.number = number
    }

    /// What the system call that just returned -1 on this thread left behind.
    package static var last: Errno { Errno(errno) }
}

extension Errno: CustomStringConvertible {
    /// The C library's own words, for example "No space left on device". strerror(3) is thread-safe since glibc 2.32.
    package var description: String { String(cString: strerror(self.number)) }
}

/// Makes a system call, again as long as a signal interrupts it (EINTR); -1 is thrown as ``Errno``.
///
/// Not for close(2), which has let go of the descriptor in any case, and not for fsync(2), which must not be asked a
/// second time after it failed: the kernel has marked the lost pages clean, so that the second call "succeeds".
@discardableResult
package func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        guard result == -1 else { return result }
        let error = Errno.last
        guard error.number == EINTR else { throw error }
    }
}

/// Makes a system call once; -1 is thrown as ``Errno``.
@discardableResult
package func once(_ call: () -> CInt) throws(Errno) -> CInt {
    let result = call()
    guard result != -1 else { throw Errno.last }
    return result
}
