import CLibcrypto
import FxferProtocol

extension FxferError {
    /// The failure of a call that only fails where libcrypto has no memory left or is set up to refuse what it was asked
    /// for. Takes libcrypto's errors of this thread away.
    static func libcrypto(_ call: String) -> FxferError {
        let reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) }
        ERR_clear_error()
        return FxferError(.internal, "\(call) of libcrypto failed: \(reason ?? "it gives no reason"); check its setup")
    }

    /// Throws where `result` is not libcrypto's 1 for success.
    static func expect(_ result: CInt, _ call: String) throws(FxferError) {
        guard result == 1 else { throw .libcrypto(call) }
    }
}
