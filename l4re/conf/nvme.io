-- vim:ft=lua
-- The driver's virtual bus: the storage controllers and nothing else.
local hardware = Io.system_bus()

Io.add_vbusses
{
  storage = Io.Vi.System_bus(function ()
    Property.num_msis = 8
    PCI0 = Io.Vi.PCI_bus(function ()
      controllers = wrap(hardware:match("PCI/storage"));
    end)
  end)
}
