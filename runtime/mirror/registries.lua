-- Of a gear's request only these headers go on to the registry (registries.conf): the answer is kept for all gears, and no
-- other header may make it a different one.
local known = {
    ["host"] = true,
    ["accept"] = true,
    ["if-none-match"] = true,
    ["if-modified-since"] = true,
}

function keep_known_headers(r)
    if r.headers_in["Content-Length"] or r.headers_in["Transfer-Encoding"] then
        return 400
    end
    for name in pairs(r:headers_in_table()) do
        if not known[name:lower()] then
            r.headers_in[name] = nil
        end
    end
    r.headers_in["User-Agent"] = "gearbox-mirror"
    return apache2.DECLINED
end
