import FxferProtocol
import FxferTrust
import Glibc

/// The name of a token file from the command line.
enum TokenArgument {
    /// Makes sure that it is not a token itself, which everybody would see in the list of processes and in errors.
    ///
    /// - Throws: `usage`, without quoting it.
    static func check(_ path: [UInt8]) throws(FxferError) {
        let token =
            path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).dropFirst().first ?? path[...]
        guard !path.contains(UInt8(ascii: "/")), Self.looksLikeToken(token),
            access(path.map(CChar.init(bitPattern:)) + [0], F_OK) != 0
        else { return }
        throw FxferError(
            .usage,
            "--token-file takes the name of a file, and that looks like a token: it can be seen by others now, so have a new "
                + "one made, and keep it in a file that only you can read"
        )
    }

    /// Whether it is as long and as odd as what `fxfer token` prints: no name of a file has a need for that.
    private static func looksLikeToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count == 43
            && bytes.allSatisfy { "-_".utf8.contains($0) || (0x30...0x39).contains($0) || Self.isLetter($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
