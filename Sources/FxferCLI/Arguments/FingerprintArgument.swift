import ArgumentParser
import Fxfer

/// The fingerprint of a server's key from the command line, as `fxfer identity` prints it.
struct FingerprintArgument: ExpressibleByArgument {
    let fingerprint: KeyFingerprint

    init?(argument: String) {
        guard let fingerprint = KeyFingerprint(argument) else { return nil }
        self.fingerprint = fingerprint
    }
}
