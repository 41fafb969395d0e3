import CLibcrypto

/// Bytes that nobody can guess.
enum RandomBytes {
    /// `count` bytes of libcrypto's generator, which getrandom(2) seeds.
    static func make(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // Where there is no randomness there is no secret: nothing sensible is left to do.
        guard RAND_bytes(&bytes, CInt(count)) == 1 else { preconditionFailure("RAND_bytes: no random numbers") }
        return bytes
    }
}
