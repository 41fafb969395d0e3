/// An object of libcrypto with one owner: it is freed when the owner lets go of it.
struct CryptoObject: ~Copyable {
    let pointer: OpaquePointer
    private let free: (OpaquePointer?) -> Void

    /// Takes what a call of libcrypto returned; nil where that is null.
    init?(_ pointer: OpaquePointer?, freedBy free: @escaping (OpaquePointer?) -> Void) {
        guard let pointer else { return nil }
        self.pointer = pointer
        self.free = free
    }

    deinit {
        self.free(self.pointer)
    }
}
