import CLibcrypto

/// Bytes in memory as libcrypto reads and writes them; overwritten when they are freed.
///
/// Running out of memory is the only way in which its calls can fail here, and ends the process.
struct MemoryBIO: ~Copyable {
    private let object: CryptoObject

    var pointer: OpaquePointer { self.object.pointer }

    /// Takes a copy of `bytes`, at most 2^31 - 1 of them.
    init(_ bytes: [UInt8] = []) {
        guard let object = CryptoObject(BIO_new(BIO_s_mem()), freedBy: { BIO_free($0) }),
            bytes.isEmpty || BIO_write(object.pointer, bytes, CInt(bytes.count)) == bytes.count
        else { preconditionFailure("BIO_new: out of memory") }
        self.object = object
    }

    /// Takes out all bytes that were not read.
    func content() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(self.pointer))
        let count = BIO_read(self.pointer, &bytes, CInt(bytes.count))
        return Array(bytes.prefix(max(0, Int(count))))
    }
}
