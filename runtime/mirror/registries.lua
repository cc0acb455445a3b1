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
    -- Ours alone: a client that waits for the end of the connection gets it. Other words in it would name headers to take out.
    local closes = (r.headers_in["Connection"] or ""):lower() == "close"
    for name in pairs(r:headers_in_table()) do
        if not known[name:lower()] then
            r.headers_in[name] = nil
        end
    end
    if closes then
        r.headers_in["Connection"] = "close"
    end
    r.headers_in["User-Agent"] = "gearbox-mirror"
    return apache2.DECLINED
end
