import ArgumentParser
import Fxfer

/// A SHA-256 from the command line: 64 hexadecimal digits.
struct DigestArgument: ExpressibleByArgument {
    let digest: Digest

    init?(argument: String) {
        let digits = argument.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 2 * Digest.byteCount, argument.utf8.count == digits.count,
            let digest = Digest(
                bytes: (0..<Digest.byteCount).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) }
            )
        else { return nil }
        self.digest = digest
    }
}
