// Endpoint, FxferError, Digest, RelativePath and their kin are part of this library's interface.
@_exported import FxferNetwork
@_exported import FxferProtocol
@_exported import FxferTrust
