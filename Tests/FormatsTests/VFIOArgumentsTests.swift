import HostModel
import Testing

@testable import Formats

struct VFIOArgumentsTests {
  private static let uuid = "c2177883-f1bb-47f0-914d-32a22e3a8804"

  /// Arguments, and what they hand over.
  @Test(arguments: [
    (["-device", "vfio-pci,host=01:00.0,id=x"], ["0000:01:00.0"]),
    (["--device", "id=x,driver=vfio-pci,host=0001:0a:1f.7"], ["0001:0a:1f.7"]),
    (["-device", "vfio-pci-nohotplug,host=1:0.0"], ["0000:01:00.0"]),
    (["-device", #"{"driver": "vfio-pci", "id": "x", "host": "0000:01:00.0"}"#], ["0000:01:00.0"]),
    (["-device", "vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:01:00.0"], ["0000:01:00.0"]),
    (["-device", "vfio-pci,sysfsdev=/sys/bus/mdev/devices/\(uuid)"], [uuid]),
    (
      ["-device", "vfio-pci,host=01:00.0", "-device", "vfio-pci,host=0000:01:00.0"],
      ["0000:01:00.0"]
    ),
    (["-device"], []), (["-device", ""], []), (["-device", "vfio-pci"], []),
    (["-device", "vfio-pci,host=secret"], []), (["-device", #"{"driver": "vfio-pci""#], []),
    (["-device", #"{"driver": 1, "host": []}"#], []), (["-device", "{}"], []),
    (["-device", "virtio-rng-pci,host=01:00.0"], []), (["-name", "vfio-pci,host=01:00.0"], []),
    (["vfio-pci,host=01:00.0"], []), (["-device", "vfio-pci,,host=01:00.0x"], []),
  ])
  func findsWhatIsHandedOver(arguments: [String], devices: [String]) {
    let found = VFIOArguments(arguments)
    #expect(found.functions.map(\.description) + found.mediatedDevices == devices)
    let kept = VFIOArguments(found.redacted)
    #expect(kept.functions == found.functions && kept.mediatedDevices == found.mediatedDevices)
    #expect(!found.redacted.joined().contains("secret"))
  }
}
